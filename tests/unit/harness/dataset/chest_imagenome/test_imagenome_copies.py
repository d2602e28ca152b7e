"""Phantoms written as Chest ImaGenome and read back are the phantoms, up to what the layout cannot carry: fractions of
a pixel, strata but the view, second wordings, and, in silver, the order of what a sentence says of two regions."""

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from harness.dataset.base import validate
from harness.dataset.chest_imagenome.gold import BOXES, SCALING, STATEMENTS
from harness.dataset.chest_imagenome.silver import scene_path
from harness.dataset.chest_imagenome.splits import AVOID, SPLITS
from harness.dataset.export.chest_imagenome import DICOM_ROOT, JPEG_ROOT, ROOT
from tests.imagenome_copies import (
    PATIENTS,
    Records,
    in_whole_pixels,
    phantoms,
    read_gold,
    read_silver,
    under_the_ids_of,
)
from tests.same_scores import numbers, scores
from wronglung.images import decode


def unordered(record):
    """With the statements of every sentence in a fixed order."""
    sentences = tuple(
        dataclasses.replace(
            s,
            boxes=tuple(sorted(s.boxes, key=lambda box: box.name)),
            triples=tuple(sorted(s.triples, key=lambda t: (t.region, t.label, t.context))),
        )
        for s in record.sentences
    )
    return dataclasses.replace(record, sentences=sentences)


@pytest.mark.parametrize("images", [JPEG_ROOT, DICOM_ROOT])
def test_gold_says_what_the_phantoms_say(whole, images):
    back = list(read_gold(whole, images))
    native = map(in_whole_pixels, phantoms("gold"))
    assert back == [under_the_ids_of(n, b) for n, b in zip(native, back, strict=True)]


@pytest.mark.parametrize("split", ["test", "train", "valid"])
def test_silver_says_what_the_phantoms_say(whole, split):
    back = [unordered(record) for record in read_silver(whole, split=split)]
    native = phantoms(split)
    expected = [
        unordered(under_the_ids_of(in_whole_pixels(n), b, view=n.strata["view"]))
        for n, b in zip(native, back, strict=True)
    ]
    assert back == expected


def test_ids_are_those_of_the_data_set_and_of_the_study(whole):
    first, *_ = read_gold(whole)
    assert first.patient_id == "10000001"
    assert first.study_id == "50000001"
    assert len(first.image_id.split("-")) == 5
    assert first.sentences[1].sentence_id == f"dicom_{first.image_id}_sent_50000001|1"


def test_sets_share_no_patient(whole):
    sets = [read_gold(whole), *(read_silver(whole, split=split) for split in ("test", "train", "valid"))]
    patients = [{record.patient_id for record in part} for part in sets]
    assert [len(part) for part in patients] == [PATIENTS] * 4
    assert len(set().union(*patients)) == 4 * PATIENTS


def test_images_travel_as_they_lie_on_disk(whole):
    for images, suffix in ((JPEG_ROOT, "jpg"), (DICOM_ROOT, "dcm")):
        for record in read_gold(whole, images):
            path = f"files/p10/p{record.patient_id}/s{record.study_id}/{record.image_id}.{suffix}"
            assert record.load() == (whole / images / path).read_bytes()


def test_dicom_keeps_every_pixel_and_jpeg_nearly(whole):
    for native, dicom, jpeg in zip(phantoms("gold"), read_gold(whole, DICOM_ROOT), read_gold(whole), strict=True):
        pixels = decode(native.load())
        assert np.array_equal(decode(dicom.load()), pixels)
        assert np.abs(decode(jpeg.load()).astype(int) - pixels).mean() < 2


def test_scores_are_those_of_the_phantoms(whole, tmp_path):
    back, again = read_gold(whole), read_gold(whole, DICOM_ROOT)
    expected = scores(Records(map(in_whole_pixels, phantoms("gold"))), tmp_path / "whole")
    for name, dataset in (("jpeg", back), ("dicom", again)):
        found = scores(dataset, tmp_path / name)
        assert found.keys() == expected.keys()
        for column, values in found.items():
            assert values.tolist() == pytest.approx(expected[column].tolist(), abs=0, nan_ok=True), column


def test_whole_pixels_move_scores_little(whole, tmp_path):
    native, found = scores(Records(phantoms("gold")), tmp_path / "native"), scores(read_gold(whole), tmp_path / "back")
    for metric in ("exact_auroc", "exact_pointing", "exact_mass_in_box", "exact_soft_iou"):
        change = numbers(found[metric]) - numbers(native[metric])
        assert 0 < np.nanmax(np.abs(change)) < 0.015, metric
        assert abs(np.nanmean(change)) < 0.002, metric


def test_silver_scores_are_those_of_the_phantoms(whole, tmp_path):
    expected = scores(Records(map(in_whole_pixels, phantoms("test"))), tmp_path / "whole")
    found = scores(read_silver(whole), tmp_path / "silver")
    same = found["text"] == expected["text"]
    assert same[expected["perturbation"] != "synthetic_sentences"].all()
    assert same.mean() > 0.9  # the synthetic ones may name places in another order
    for column in (name for name in expected if name.startswith(("exact_", "paper_"))):
        assert numbers(found[column][same]) == pytest.approx(numbers(expected[column][same]), abs=1e-12, nan_ok=True)


def test_validating_counts_what_the_phantoms_hold(whole):
    native = phantoms("gold")
    report = validate(read_gold(whole))
    assert report.found.images == len(native)
    assert report.found.sentences == sum(len(record.sentences) for record in native)
    assert report.found.boxes == sum(len(s.boxes) for record in native for s in record.sentences)
    assert report.lines()[-1].strip() == "nothing left out"


def rows(path, delimiter=","):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter=delimiter))


def test_tables_have_the_columns_of_the_data_set(whole):
    heading, first, *_ = rows(whole / ROOT / STATEMENTS, "\t")
    assert heading == [
        *("patient_id", "study_id", "image_id", "row_id", "section", "sentence", "bbox", "relation", "label_name"),
        *("categoryID", "context", "attribute", "coord224", "coord_original"),
    ]
    row = dict(zip(heading, first, strict=True))
    assert row["image_id"].endswith(".dcm")
    assert row["row_id"] == f"{row['study_id']}|0"
    assert row["attribute"] == f"{row['categoryID']}|{row['context']}|{row['label_name']}"
    assert all(isinstance(value, int) for value in json.loads(row["coord_original"]))
    assert rows(whole / ROOT / BOXES)[0] == [
        *("image_id", "x1", "y1", "x2", "y2", "width", "height", "bbox_name", "annot_id", "original_x1", "original_x2"),
        *("original_y1", "original_y2", "original_width", "original_height", "annotator", "coord224", "coord_original"),
    ]
    assert rows(whole / ROOT / SCALING)[0] == ["image_id", "top", "bottom", "left", "right", "ratio"]
    listed = ["subject_id", "study_id", "dicom_id", "path", "ViewPosition"]
    assert rows(whole / ROOT / SPLITS / AVOID)[0] == listed
    assert all(rows(whole / ROOT / SPLITS / f"{name}.csv")[0] == ["", *listed] for name in ("train", "valid", "test"))


def test_the_original_corners_of_a_region_stand_in_the_order_x1_x2_y1_y2(whole):
    heading, *lines = rows(whole / ROOT / BOXES)
    assert heading[9:13] == ["original_x1", "original_x2", "original_y1", "original_y2"]
    for line in lines:
        assert json.loads(line[-1]) == [int(line[i]) for i in (9, 11, 10, 12)]


def test_every_image_has_a_report_and_a_scene_graph(whole):
    pictures = sorted((whole / DICOM_ROOT).rglob("*.dcm"))
    for picture in pictures:
        report = picture.parent.with_suffix(".txt").read_text(encoding="utf-8")
        scene = json.loads(scene_path(whole / ROOT, picture.stem).read_bytes())
        assert scene["image_id"] == picture.stem
        assert scene["objects"]
        assert all(phrase in report for region in scene["attributes"] for phrase in region["phrases"])
    assert len(pictures) == len(list((whole / ROOT).rglob("*_SceneGraph.json")))


@pytest.mark.parametrize("read", [read_gold, read_silver])
def test_folders_may_be_named_from_where_one_stands(whole, monkeypatch, read):
    monkeypatch.chdir(whole)
    relative, absolute = read(Path()), read(whole)
    assert relative.digest == absolute.digest
    assert len(relative) > 0
    assert next(iter(relative)).load() == next(iter(absolute)).load()
