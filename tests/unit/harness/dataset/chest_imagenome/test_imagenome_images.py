"""Where the radiographs of MIMIC-CXR lie."""

import pytest

from harness.dataset.checks import Unusable
from harness.dataset.chest_imagenome.images import Radiographs


@pytest.fixture
def folder(tmp_path):
    study = tmp_path / "files/p10/p10000001/s50000001"
    study.mkdir(parents=True)
    return study


def test_an_image_is_found_from_the_root_or_from_its_files(folder, tmp_path):
    (folder / "a-b.dcm").touch()
    for root in (tmp_path, tmp_path / "files"):
        assert Radiographs(root).path("10000001", "50000001", "a-b") == folder / "a-b.dcm"


def test_a_jpeg_comes_before_a_dicom_file(folder, tmp_path):
    (folder / "a.dcm").touch()
    (folder / "a.jpg").touch()
    assert Radiographs(tmp_path).path("10000001", "50000001", "a").name == "a.jpg"


def test_a_missing_image_is_named_with_its_folder(folder, tmp_path):
    with pytest.raises(Unusable, match=r"neither b\.jpg nor b\.dcm is in .*s50000001") as caught:
        Radiographs(tmp_path).path("10000001", "50000001", "b")
    assert caught.value.kind == "image_missing"


@pytest.mark.parametrize(
    "ids",
    [
        ("../../..", "50000001", "a"),
        ("10000001", "..", "a"),
        ("10000001", "50000001", "../a"),
        ("10000001", "50000001", ""),
        ("1", "50000001", "a"),
        ("10000001", "50000001", "a\n"),
    ],
)
def test_ids_that_could_lead_elsewhere_are_refused(folder, tmp_path, ids):
    with pytest.raises(Unusable) as caught:
        Radiographs(tmp_path).path(*ids)
    assert caught.value.kind == "bad_id"
