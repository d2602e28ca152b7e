"""MS-CXR: what is read, and broken copies."""

import dataclasses
import gzip
from collections import Counter
from pathlib import Path

import pytest

from harness.case import Triple
from harness.dataset.export.affirmed import affirmed
from harness.dataset.export.ms_cxr import STEM
from harness.dataset.export.whole_pixels import whole
from harness.settings import ConfigError
from tests.layout_copies import Copy, assert_same_scores, kinds, phantoms, scores


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return Copy("ms_cxr", tmp_path_factory.mktemp("ms_cxr") / "copy")


@pytest.mark.parametrize("number", [0, 1], ids=["csv and jpeg", "json and dicom"])
def test_maps_score_as_on_the_phantoms_themselves(copy, number):
    natives, back = phantoms(), list(copy.open(number))
    assert [record.patient_id for record in back] != [record.image_id for record in back]
    for native, record in zip(natives, back, strict=True):
        stated = [sentence for _, sentence in affirmed(native)]
        assert [sentence.text for sentence in record.sentences] == [sentence.text for sentence in stated]
        assert all(sentence.abnormal for sentence in record.sentences)
    pairs = [(r, s.boxes) for r in back for s in r.sentences]
    exact = [(r, s.boxes) for r in natives for _, s in affirmed(r)]
    rounded = [(r, tuple(rounded_box(box) for box in boxes)) for r, boxes in exact]
    for profile in ("exact", "paper"):
        assert_same_scores(scores(pairs, profile), scores(rounded, profile))
    assert_same_scores(scores(pairs), scores(exact), abs=0.5)
    assert scores(pairs)["auroc"] == pytest.approx(scores(exact)["auroc"], abs=0.01)


def rounded_box(box):
    x0, y0, x1, y1 = whole(box)
    return dataclasses.replace(box, x0=x0, y0=y0, x1=x1, y1=y1)


def test_both_files_and_both_kinds_of_images_say_the_same(copy):
    assert copy.open(0).digest == copy.open(1).digest


def test_boxes_of_one_text_on_one_image_belong_together(copy):
    def twice(rows):
        rows.append(rows[0] | {"x": "1", "y": "2", "w": "30", "h": "40"})

    before, after = next(iter(copy.open())), next(iter(copy.with_rows(twice)))
    assert len(after.sentences) == len(before.sentences)
    assert len(after.sentences[0].boxes) == len(before.sentences[0].boxes) + 1
    assert after.sentences[0].boxes[-1].xyxy == (1, 2, 31, 42)


def test_the_category_names_the_box_and_is_abnormal(copy):
    def rename(rows):
        rows[0]["category_name"] = "Pleural Effusion"

    sentence = next(iter(copy.with_rows(rename))).sentences[0]
    assert sentence.triples == (
        Triple("pleural effusion", "pleural effusion", True),
        Triple("pleural effusion", "abnormal", True),
    )
    assert sentence.strata["finding"] == "pleural effusion"


def test_a_split_alone_is_read_when_it_is_asked_for(copy):
    whole_set = copy.open()
    parts = [copy.open(split=split) for split in ("val", "test")]
    assert all(len(part) for part in parts)
    assert sum(map(len, parts)) == len(whole_set)
    assert {s.strata["split"] for r in parts[0] for s in r.sentences} == {"val"}


@pytest.mark.parametrize("number", [0, 1])
def test_a_split_that_is_not_there_is_named_with_those_that_are(copy, number):
    with pytest.raises(ConfigError, match=r"no split 'tests' in .*; it has: test, val$"):
        copy.open(number, split="tests")


def test_a_split_of_a_file_that_names_none_is_refused(copy):
    """MS-CXR's JSON may lack what its CSV has."""
    data = Path(f"{copy.folder}/{STEM}.json").read_bytes()
    assert len(copy.broken(data, ".json", split="test")) < len(copy.open())
    with pytest.raises(ConfigError, match="names its split"):
        copy.broken(data.replace(b'"split"', b'"part"'), ".json", split="test")
    with pytest.raises(ConfigError, match="no column 'split'"):
        copy.broken(copy.bytes().replace(b"split", b"part", 1), split="test")


def change(**values):
    """Change the one row of an image that has no other."""

    def apply(rows):
        images = Counter(row["dicom_id"] for row in rows)
        next(row for row in rows if images[row["dicom_id"]] == 1).update(values)

    return apply


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        ({"w": "9999"}, "box_outside_image", "reaches out"),
        ({"x": "-3"}, "box_outside_image", "reaches out"),
        ({"w": "0"}, "box_inside_out", "x0 < x1"),
        ({"h": "-5"}, "box_inside_out", "y0 < y1"),
        ({"x": "left"}, "bad_number", "x is no number"),
        ({"y": "nan"}, "bad_number", "y is no number"),
        ({"image_width": ""}, "bad_number", "image_width"),
        ({"image_width": "2500"}, "image_size_contradicts", "annotated at 2500 x"),
        ({"path": "files/p10/p1/s1/gone.jpg"}, "image_missing", "gone.jpg"),
        ({"label_text": ""}, "sentence_blank", "spaces"),
        ({"label_text": "  "}, "sentence_blank", "spaces"),
        ({"category_name": ""}, "finding_blank", "names no finding"),
    ],
)
def test_a_row_with_anything_wrong_costs_its_sentence_and_is_counted(copy, values, kind, words):
    dataset = copy.with_rows(change(**values))
    assert kinds(dataset) == {kind: 1}
    (example,) = dataset.findings.examples[kind]
    assert example.startswith("broken.csv line ")
    assert words in example
    assert count(dataset) == count(copy.open()) - 1


def count(dataset):
    return sum(len(record.sentences) for record in dataset)


def test_one_bad_box_of_two_costs_the_whole_sentence(copy):
    dataset = copy.with_rows(lambda rows: rows.append(rows[0] | {"w": "9999"}))
    assert kinds(dataset) == {"box_outside_image": 1}
    assert count(dataset) == count(copy.open()) - 1


def test_rows_that_contradict_each_other_about_an_image_are_counted(copy):
    def contradict(rows):
        rows.append(rows[0] | {"label_text": "Another sentence.", "path": "files/p10/p2/s2/other.jpg"})

    assert kinds(copy.with_rows(contradict)) == {"image_contradicts": 1}


def test_maxima_copied_by_mistake_are_pointed_out(copy):
    def copied(rows):
        first = rows[0]
        rows[:] = [
            first | {"label_text": f"Sentence {i}.", "x": "5", "y": "3", "w": str(20 + i), "h": str(22 + i)}
            for i in range(25)
        ]

    assert kinds(copy.with_rows(copied)) == {"y1_equals_x1": 1}


def test_a_line_that_is_not_utf8_is_counted_and_survived(copy):
    lines = copy.bytes().split(b"\n")
    lines[1] = lines[1].replace(b",", b"\xff,", 1)
    assert kinds(copy.broken(b"\n".join(lines))) == {"bad_utf8": 1}


@pytest.mark.parametrize(
    ("data", "suffix", "words"),
    [
        (lambda data: data.replace(b"label_text", b"text", 1), "", "no column 'label_text'; it has: 'dicom_id', "),
        (lambda data: gzip.compress(data)[:-20], ".csv.gz", "damaged or cut off"),
        (lambda data: b"", "", "no column 'dicom_id'; it has: none"),
        (lambda data: b'{"images": [', ".json", "no JSON at line 1"),
        (lambda data: b'{"images": []}', ".json", "must hold a list under 'categories', got the keys 'images'"),
    ],
)
def test_a_file_of_which_nobody_knows_what_is_missing_is_refused(copy, data, suffix, words):
    with pytest.raises(ConfigError, match=words):
        copy.broken(data(copy.bytes()), suffix)
