"""The mapping of a folder of real radiographs to our format."""

import json

import pytest

from harness.case import Triple
from harness.dataset.base import validate
from harness.dataset.real_cxr import ROOT_VARIABLE, open_real_cxr
from tests.harness_fakes import HEIGHT, WIDTH, png
from tests.shared import shared_path

RIGHT, LEFT, MASK = [20, 30, 140, 220], [180, 30, WIDTH, HEIGHT], [25, 35, 130, 210]


def pair(number, **changes):
    return {
        "pair_id": f"cg{number}",
        "image": "images/a.png",
        "width": WIDTH,
        "height": HEIGHT,
        "patient_id": "22",
        "sentence": "Consolidation in the right lung.",
        "side": "right",
        "finding": "consolidation",
        "polarity": "present",
        "lung_boxes": [{"name": "right lung", "box_xyxy": RIGHT}],
        "finding_boxes": [],
    } | changes


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(png())
    regions = [
        {"name": "right lung", "side": "right", "kind": "anatomy_mask_box", "box_xyxy": MASK},
        {"name": "right lung", "side": "right", "kind": "lung_box", "box_xyxy": RIGHT},
        {"name": "left lung", "side": "left", "kind": "lung_box", "box_xyxy": LEFT},
        {"name": "cardiomediastinum", "side": "", "kind": "anatomy_mask_box", "box_xyxy": [140, 60, 200, 200]},
        {"name": "consolidation", "side": "right", "kind": "finding_mask_box", "box_xyxy": MASK},
    ]
    image = {"image": "images/a.png", "width": WIDTH, "height": HEIGHT, "regions": regions}
    (tmp_path / "images.jsonl").write_text(json.dumps(image) + "\n")
    absent = pair(1, polarity="absent", side="left", lung_boxes=[{"name": "left lung", "box_xyxy": LEFT}])
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(p) + "\n" for p in (pair(0), absent)))
    return tmp_path


def test_a_present_finding_makes_its_lung_abnormal(folder):
    (image,) = open_real_cxr(folder)
    present, _ = image.sentences
    assert present.triples == (
        Triple("right lung", "consolidation", True),
        Triple("right lung", "abnormal", True),
    )
    assert (present.abnormal, present.negated, present.lung_side) == (True, False, "right")
    assert present.strata == {"side": "right"}


def test_an_absent_finding_is_a_negated_sentence(folder):
    (image,) = open_real_cxr(folder)
    _, absent = image.sentences
    assert Triple("left lung", "abnormal", False) in absent.triples
    assert (absent.abnormal, absent.negated, absent.lung_side) == (False, True, "left")


def test_regions_are_the_anatomy_each_name_once_and_lung_boxes_first(folder):
    (image,) = open_real_cxr(folder)
    regions = {region.name: list(region.xyxy) for region in image.regions}
    assert regions == {"right lung": RIGHT, "left lung": LEFT, "cardiomediastinum": [140, 60, 200, 200]}


def test_the_folder_comes_from_the_environment_when_nothing_is_configured(folder, monkeypatch):
    monkeypatch.setenv(ROOT_VARIABLE, str(folder))
    assert len(open_real_cxr()) == 1


def test_a_missing_folder_says_what_to_set(tmp_path):
    with pytest.raises(FileNotFoundError, match=ROOT_VARIABLE):
        open_real_cxr(tmp_path)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"{", "Invalid JSON"),
        (b"\xff", "Invalid JSON"),
        (b"[]", "should be an object"),
        (json.dumps(pair(2, polarity="maybe")).encode(), "polarity: Input should be 'present' or 'absent'"),
        (json.dumps(pair(2, lung_boxes=[{"name": "left lung"}])).encode(), "lung_boxes.0.box_xyxy: Field required"),
        (json.dumps(pair(2, sentence="")).encode(), "sentence: "),
    ],
)
def test_a_line_with_anything_wrong_is_left_out_and_counted(folder, line, words):
    with (folder / "pairs.jsonl").open("ab") as file:
        file.write(line)
    dataset = open_real_cxr(folder)
    assert dataset.findings.left_out == {"bad_line": 1}
    (example,) = dataset.findings.examples["bad_line"]
    assert example.startswith("pairs.jsonl line 3: ")
    assert words in example
    assert [len(image.sentences) for image in dataset] == [2]


def test_the_real_set_is_read_whole():
    report = validate(open_real_cxr(shared_path("real_cxr")))
    assert (report.found.images, len(report.found.patient_ids), report.found.sentences) == (30, 28, 39)
    assert not report.findings.left_out
    assert not report.findings.warnings
