"""The phantom set in the layout of VinDr-CXR, with DICOM images.

Three readers see each image: one marks every finding, one marks it a little smaller, one sees every other finding of a
report. `patients.csv` says whose image each is, which the layout cannot. It cannot carry either: the sentences (a class
name is all there is, so that sentences of one finding on one image become one), sentences that state nothing abnormal,
the regions' names, strata.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.dataset.export.affirmed import affirmed
from harness.dataset.export.mimic_cxr import Archive, Filed, dicom
from harness.dataset.export.shrink import shrink
from harness.dataset.export.tables import write_patients, write_table
from harness.dataset.phantom import PhantomDataset

FILE, IMAGES, PATIENTS = "annotations_train.csv", "train", "patients.csv"
HEADING = ("image_id", "rad_id", "class_name", "x_min", "y_min", "x_max", "y_max")
THOROUGH, NARROW, HASTY = "R8", "R9", "R10"
NOTHING = ("No finding", "", "", "", "")


def write_phantoms(folder: Path, patients: int, seed: int) -> None:
    """Write the annotations, the images, and whose they are."""
    (folder / IMAGES).mkdir()
    archive = Archive(seed)
    studies = [archive.file(record) for record in PhantomDataset(seed, "test", patients)]
    for filed in studies:
        (folder / IMAGES / f"{_image_id(filed)}.dicom").write_bytes(dicom(filed))
    write_table(folder / FILE, HEADING, (row for filed in studies for row in _rows(filed)))
    write_patients(folder / PATIENTS, ((_image_id(filed), filed.record.patient_id) for filed in studies))


def _image_id(filed: Filed) -> str:
    return filed.dicom_id.replace("-", "")[:32]


def _rows(filed: Filed) -> Iterator[Sequence[Any]]:
    found = list(affirmed(filed.record))
    for reader, seen in ((THOROUGH, found), (NARROW, found), (HASTY, found[::2])):
        if not seen:
            yield _image_id(filed), reader, *NOTHING
        for label, sentence in seen:
            for box in sentence.boxes:
                yield _image_id(filed), reader, label.capitalize(), *(shrink(box) if reader == NARROW else box.xyxy)
