"""VinDr-CXR: what is read, whose boxes count, and broken copies."""

import gzip

import pytest

from harness.dataset.export.vindr_cxr import HASTY, NARROW, THOROUGH
from harness.dataset.finding import finding_sentence
from harness.settings import ConfigError
from tests.layout_copies import Copy, assert_same_scores, by_finding, kinds, phantoms, scores


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return Copy("vindr_cxr", tmp_path_factory.mktemp("vindr_cxr") / "copy")


@pytest.mark.parametrize("reader", ["union", THOROUGH])
def test_maps_score_as_on_the_phantoms_themselves(copy, reader):
    """Sentences of one finding on one image become one, against the boxes of all of them."""
    pairs, expected = [], []
    for native, record in zip(phantoms(), copy.open(reader=reader), strict=True):
        assert record.patient_id == native.patient_id
        stated = by_finding(native)
        assert [sentence.text for sentence in record.sentences] == [finding_sentence(label) for label in stated]
        assert all(sentence.abnormal for sentence in record.sentences)
        for sentence, natives in zip(record.sentences, stated.values(), strict=True):
            pairs.append((record, sentence.boxes))
            expected.append((native, tuple(box for each in natives for box in each.boxes)))
    for profile in ("exact", "paper"):
        assert_same_scores(scores(pairs, profile), scores(expected, profile))


def images(dataset):
    return {record.image_id: record for record in dataset}


def test_the_boxes_of_one_reader_count_alone_when_asked_for(copy):
    union, narrow, hasty = (images(copy.open(reader=reader)) for reader in ("union", NARROW, HASTY))
    assert union.keys() == narrow.keys()
    for image_id, record in narrow.items():
        for mine, all_of_them in zip(record.sentences, union[image_id].sentences, strict=True):
            assert set(mine.boxes) < set(all_of_them.boxes)
    assert sum(len(r.sentences) for r in hasty.values()) < sum(len(r.sentences) for r in union.values())


def test_the_agreement_of_the_readers_and_empty_images_are_told(copy):
    agreement, nothing = copy.open().findings.notes
    assert "one of two readers of an image marked, both marked" in agreement
    assert "images without any finding are not evaluated" in nothing


def test_a_reader_that_is_not_there_is_named_with_those_that_are(copy):
    with pytest.raises(ConfigError, match=f"no reader 'R1' in .*; it has: {HASTY}, {THOROUGH}, {NARROW}"):
        copy.open(reader="R1")


def test_a_file_without_readers_holds_their_consensus(copy):
    lines = [line.split(",") for line in copy.bytes().decode().splitlines()]
    lines = [line for line in lines if line[1] in ("rad_id", THOROUGH)]
    text = "\n".join(",".join([line[0], *line[2:]]) for line in lines)
    dataset = copy.broken(text.encode())
    assert not kinds(dataset)
    assert len(dataset) == len(copy.open())
    assert not any("readers" in note for note in dataset.findings.notes)


def test_a_class_may_have_several_names(copy):
    def rename(rows):
        boxed = [row for row in rows if row["x_min"]]
        for row in rows:
            if row["image_id"] == boxed[0]["image_id"]:
                row["class_name"] = "Nodule/Mass"

    (sentence,) = next(iter(copy.with_rows(rename))).sentences
    assert sentence.text == "There is a nodule or mass."


def boxed(rows):
    return next(row for row in rows if row["x_min"])


def edit(**values):
    return lambda rows: boxed(rows).update(values)


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        ({"x_max": "9999"}, "box_outside_image", "reaches out"),
        ({"y_min": "-1"}, "box_outside_image", "reaches out"),
        ({"x_max": "0", "x_min": "50"}, "box_inside_out", "x0 < x1"),
        ({"x_min": ""}, "bad_number", "x_min is no number"),
        ({"y_max": "inf"}, "bad_number", "y_max is no number"),
        ({"class_name": ""}, "finding_blank", "names no finding"),
        ({"image_id": "gone"}, "image_missing", "gone"),
    ],
)
def test_a_row_with_anything_wrong_costs_its_sentence_and_is_counted(copy, values, kind, words):
    dataset = copy.with_rows(edit(**values))
    assert kinds(dataset) == {kind: 1}
    (example,) = dataset.findings.examples[kind]
    assert example.startswith("broken.csv line ")
    assert words in example


def test_one_bad_box_of_two_readers_costs_the_whole_sentence(copy):
    before = sum(len(record.sentences) for record in copy.open())
    after = sum(len(record.sentences) for record in copy.with_rows(edit(x_max="9999")))
    assert after == before - 1


def test_a_box_of_no_finding_is_left_out(copy):
    dataset = copy.with_rows(edit(class_name="No finding"))
    assert kinds(dataset) == {"box_of_no_finding": 1}
    assert not [s for r in dataset for s in r.sentences if s.text == "There is no finding."]


def test_maxima_copied_by_mistake_are_pointed_out(copy):
    def copied(rows):
        first = boxed(rows)
        rows[:] = [
            first | {"class_name": f"Class {chr(65 + i)}", "x_max": str(60 + i), "y_max": str(60 + i)}
            for i in range(26)
        ]
        for row in rows:
            row |= {"x_min": "1", "y_min": "2"}

    assert kinds(copy.with_rows(copied)) == {"y1_equals_x1": 1}


def test_a_line_that_is_not_utf8_and_one_that_is_too_short_are_counted_and_survived(copy):
    lines = copy.bytes().split(b"\n")
    lines += [b"a,R8,\xff,,,,", b"a,R8", b""]
    assert kinds(copy.broken(b"\n".join(lines))) == {"bad_utf8": 1, "bad_line": 1}


@pytest.mark.parametrize(
    ("change", "suffix", "words"),
    [
        (lambda data: data.replace(b"class_name", b"label", 1), "", "no column 'class_name'; it has: 'image_id', "),
        (lambda data: gzip.compress(data)[:-20], ".csv.gz", "damaged or cut off"),
    ],
)
def test_a_file_of_which_nobody_knows_what_is_missing_is_refused(copy, change, suffix, words):
    with pytest.raises(ConfigError, match=words):
        copy.broken(change(copy.bytes()), suffix)
