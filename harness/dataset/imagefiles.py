"""Where the images of a foreign data set lie, and whose they are if its own files do not say."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.dataset.base import Findings
from harness.dataset.files import Row, read_table

_SUFFIXES = (".dcm", ".dicom", ".png", ".jpg", ".jpeg")


def find_image(root: Path, names: Iterable[str]) -> str:
    """The first of several names, relative to `root`, that exists as it is or with another image suffix; the first
    name if none does, so that the missing file is told by it."""
    wanted = list(names)
    for name in wanted:
        for candidate in (name, *_with_other_suffixes(name)):
            if os.path.isfile(root / candidate):  # False for any name that no file can have
                return candidate
    return wanted[0]


def check_folder(root: Path) -> None:
    """Check that there is a folder of images.

    Raises:
        FileNotFoundError: there is none.
    """
    if not root.is_dir():
        raise FileNotFoundError(f"no folder {root}: point dataset.images at the folder that the images lie in")


def _with_other_suffixes(name: str) -> Iterator[str]:
    stem = Path(name).with_suffix("") if Path(name).suffix.lower() in _SUFFIXES else Path(name)
    if stem.name:
        yield from (stem.with_name(stem.name + suffix).as_posix() for suffix in _SUFFIXES)


class Patients:
    """Whose image it is: as a table says, else as the reader could tell, else each image counts as a patient."""

    def __init__(self, table: Path | None, findings: Findings) -> None:
        """Read the table: CSV with the columns `image_id` and `patient_id`.

        Raises:
            FileNotFoundError: there is no such file.
            DatasetError: it lacks a column.
        """
        self._findings = findings
        self._table = table
        self._of: dict[str, str] = {}
        self._unknown: dict[str, None] = {}
        if table is not None:
            for row in read_table(table, ("image_id", "patient_id"), findings):
                self._add(row)

    def _add(self, row: Row) -> None:
        image_id, patient = row["image_id"].strip(), row["patient_id"].strip()
        if self._of.setdefault(image_id, patient) != patient:
            message = f"image {image_id!r} has another patient in an earlier row, which counts"
            self._findings.leave_out("patient_contradicts", row.where, message)

    def of(self, image_id: str, known: str = "") -> str:
        """The patient of an image; `known`: what the data set itself says."""
        patient = self._of.get(image_id) or known
        if not patient:
            self._unknown[image_id] = None
        return patient or image_id

    def tell(self) -> None:
        """Note how many images had no patient."""
        if self._unknown:
            mend = (
                f"{self._table} has no row such as {next(iter(self._unknown))!r}"
                if self._table
                else "Name a CSV with image_id and patient_id as `patients`"
            )
            self._findings.notes.append(
                f"{len(self._unknown)} images have no patient id, so each counts as a patient: if one person has"
                f" several, intervals come out too narrow. {mend}"
            )
