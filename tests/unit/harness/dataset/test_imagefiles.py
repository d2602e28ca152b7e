"""Where foreign images lie, and whose they are."""

import pytest

from harness.dataset.base import DatasetError, Findings
from harness.dataset.imagefiles import Patients, find_image


@pytest.mark.parametrize(
    ("there", "names", "found"),
    [
        ("a/b.jpg", ["a/b.jpg"], "a/b.jpg"),
        ("a/b.dcm", ["a/b.jpg"], "a/b.dcm"),
        ("1.2.3.dicom", ["1.2.3"], "1.2.3.dicom"),
        ("p/s/v.png", ["p_s_v", "p/s/v"], "p/s/v.png"),
        ("other.png", ["a.png", "b.png"], "a.png"),
        ("other.png", [""], ""),
    ],
)
def test_an_image_is_found_under_any_of_its_names_and_suffixes(tmp_path, there, names, found):
    (tmp_path / there).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / there).touch()
    assert find_image(tmp_path, names) == found


def test_a_patient_comes_from_the_table_then_from_the_data_then_from_the_image(tmp_path):
    (tmp_path / "patients.csv").write_text("image_id,patient_id\na,anna\n")
    findings = Findings()
    patients = Patients(tmp_path / "patients.csv", findings)
    assert [patients.of("a", "x"), patients.of("b", "bert"), patients.of("c"), patients.of("c")] == [
        "anna",
        "bert",
        "c",
        "c",
    ]
    patients.tell()
    assert "1 images have no patient id" in findings.notes[0]


def test_a_table_that_does_not_name_an_image_is_pointed_out(tmp_path):
    (tmp_path / "patients.csv").write_text("image_id,patient_id\na, anna \na,anna\na,bert\n")
    findings = Findings()
    patients = Patients(tmp_path / "patients.csv", findings)
    assert (patients.of("a"), patients.of("a.png")) == ("anna", "a.png")
    patients.tell()
    assert findings.notes[0].endswith("patients.csv has no row such as 'a.png'")
    assert findings.left_out == {"patient_contradicts": 1}


def test_a_table_without_the_columns_is_refused(tmp_path):
    (tmp_path / "patients.csv").write_text("image,patient\na,anna\n")
    with pytest.raises(DatasetError, match="no column 'image_id'"):
        Patients(tmp_path / "patients.csv", Findings())
