"""Who is in which set: the splits ``train.csv``, ``valid.csv``, ``test.csv``, and the gold patients in
``images_to_avoid.csv``, which stand in none of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from harness.dataset.base import Findings
from harness.dataset.files import read_table

SplitName = Literal["train", "valid", "test"]
SPLITS = Path("silver_dataset/splits")
AVOID = "images_to_avoid.csv"
COLUMNS = ("subject_id", "study_id", "dicom_id", "path", "ViewPosition")
TRAINED_BEFORE: dict[SplitName, tuple[SplitName, ...]] = {"train": (), "valid": ("train",), "test": ("train", "valid")}
"""What a model that is tested on a split may have been trained on."""


class Listed(NamedTuple):
    """One image of a split."""

    where: str
    patient_id: str
    study_id: str
    dicom_id: str
    view: str


def read_split(root: Path, name: str, findings: Findings) -> Iterator[Listed]:
    """The images that a file of the splits' folder lists, in its order.

    Raises:
        FileNotFoundError: there is no such file.
        DatasetError: it lacks a column, or is packed and cut off.
    """
    for row in read_table(root / SPLITS / name, COLUMNS, findings):
        yield Listed(row.where, row["subject_id"], row["study_id"], row["dicom_id"], row["ViewPosition"])


def gold_patients(root: Path, findings: Findings) -> frozenset[str]:
    """Patients of the gold set. Raises as `read_split`."""
    return frozenset(listed.patient_id for listed in read_split(root, AVOID, findings))


def trained_patients(
    root: Path, names: tuple[SplitName, ...], avoided: frozenset[str], findings: Findings
) -> frozenset[str]:
    """Patients that a model trained on these splits has seen, if it left out those to be avoided. Raises as
    `read_split`."""
    return frozenset(row.patient_id for name in names for row in read_split(root, f"{name}.csv", findings)) - avoided
