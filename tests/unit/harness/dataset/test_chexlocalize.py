"""CheXlocalize: masks reach the metrics, and broken copies."""

import dataclasses
import gzip

import numpy as np
import pytest

from harness.dataset.export.affirmed import affirmed
from harness.dataset.export.whole_pixels import whole
from harness.dataset.finding import finding_sentence
from harness.mask import decode, encode
from harness.settings import ConfigError
from tests.layout_copies import Copy, assert_same_scores, by_finding, kinds, phantoms, scores


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return Copy("chexlocalize", tmp_path_factory.mktemp("chexlocalize") / "copy")


def test_maps_score_as_on_the_phantoms_themselves(copy):
    """A pathology's mask is all that its sentences' boxes cover, in whole pixels."""
    pairs, rounded, expected = [], [], []
    for native, record in zip(phantoms(), copy.open(), strict=True):
        stated = dict(sorted(by_finding(native).items()))
        assert [sentence.text for sentence in record.sentences] == [finding_sentence(label.title()) for label in stated]
        for sentence, natives in zip(record.sentences, stated.values(), strict=True):
            boxes = tuple(box for each in natives for box in each.boxes)
            pairs.append((record, sentence.boxes))
            expected.append((native, boxes))
            rounded.append((native, tuple(rounded_box(box) for box in boxes)))
    assert_same_scores(scores(pairs), scores(rounded))
    assert scores(pairs)["auroc"] == pytest.approx(scores(expected)["auroc"], abs=0.01)
    paper, native = scores(pairs, "paper"), scores(rounded, "paper")
    assert paper["auroc"] == pytest.approx(native["auroc"], abs=0.005)


def rounded_box(box):
    x0, y0, x1, y1 = whole(box)
    return dataclasses.replace(box, x0=x0, y0=y0, x1=x1, y1=y1)


def test_an_image_that_is_missing_is_told_by_its_place_in_chexpert(copy):
    dataset = copy.with_document(lambda document: document.update({"patient9_study1_view1_frontal": {}}))
    assert "patient9/study1/view1_frontal: No such file" in dataset.findings.examples["image_missing"][0]


def test_the_key_names_patient_and_study(copy):
    for record in copy.open():
        assert record.image_id.startswith(f"{record.study_id}_view")
        assert record.study_id.startswith(f"{record.patient_id}_study")
    assert not copy.open().findings.notes


def first(masks):
    """The first mask in which something is drawn."""
    return next(
        (key, name, value)
        for key, pathologies in masks.items()
        for name, value in pathologies.items()
        if len(value["counts"]) > 6
    )


def test_a_mask_of_any_shape_is_read_pixel_by_pixel(copy):
    drawn = {}

    def scribble(masks):
        key, name, value = first(masks)
        bitmap = np.random.default_rng(0).random(value["size"]) < 0.3
        value["counts"] = encode(bitmap).counts
        drawn[key] = name, bitmap

    records = {record.image_id: record for record in copy.with_document(scribble)}
    ((key, (name, bitmap)),) = drawn.items()
    (sentence,) = (s for s in records[key].sentences if s.text == finding_sentence(name))
    (box,) = sentence.boxes
    back = np.zeros_like(bitmap)
    back[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)] = decode(box.mask)
    assert (back == bitmap).all()


def test_a_mask_in_which_nothing_is_drawn_is_no_sentence_and_no_fault(copy):
    absent = sum(len(value["counts"]) <= 6 for each in copy.document().values() for value in each.values())
    assert absent
    dataset = copy.open()
    assert not kinds(dataset)
    assert sum(len(record.sentences) for record in dataset) == sum(len(by_finding(record)) for record in phantoms())


def edit(**values):
    return lambda masks: first(masks)[2].update(values)


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (edit(size=[300, 200]), "mask_size_contradicts", "[300, 200] rows and columns"),
        (edit(size=[1]), "mask_size_contradicts", "rows and columns"),
        (edit(size="big"), "bad_entry", "size"),
        (edit(counts="42"), "mask_damaged", "add up to"),
        (edit(counts="~~~"), "mask_damaged", "no compressed run length"),
        (edit(counts=[1, 2]), "bad_entry", "counts"),
        (lambda masks: first(masks)[2].pop("counts"), "bad_entry", "counts"),
    ],
)
def test_a_mask_with_anything_wrong_is_left_out_and_counted(copy, change, kind, words):
    dataset = copy.with_document(change)
    assert kinds(dataset) == {kind: 1}
    (example,) = dataset.findings.examples[kind]
    assert example.startswith("patient0")
    assert words in example


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda masks: masks.update(patient9_study1_view1_frontal=first(masks)[2]), "image_missing"),
        (lambda masks: masks.update({first(masks)[0]: []}), "bad_entry"),
    ],
)
def test_an_image_with_anything_wrong_is_left_out_and_counted(copy, change, kind):
    assert kinds(copy.with_document(change)) == {kind: 1}


def test_an_image_that_stands_twice_is_counted(copy):
    data = copy.bytes().rstrip()
    key, _, _ = data[1:].partition(b":")
    assert kinds(copy.broken(data[:-1] + b", " + key + b": {}}")) == {"key_repeated": 1}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: data[: len(data) // 2], "cut off"),
        (lambda data: gzip.compress(data)[:-20], "damaged or cut off"),
        (lambda data: b"[]", "an object with a key for each image"),
        (lambda data: b"{}", "no usable image"),
    ],
)
def test_a_file_that_is_not_whole_is_refused(copy, change, words):
    with pytest.raises(ConfigError, match=words):
        copy.broken(change(copy.bytes()))


def test_what_is_stated_of_the_phantoms_is_what_is_drawn(copy):
    names = {finding_sentence(label.title()) for record in phantoms() for label, _ in affirmed(record)}
    assert {sentence.text for record in copy.open() for sentence in record.sentences} == names
