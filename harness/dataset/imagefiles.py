"""Where the images of a foreign data set lie, and whose they are if its own files do not say."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.dataset.base import Findings
from harness.dataset.files import read_table

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
        self._of: dict[str, str] = {}
        self._unknown: set[str] = set()
        if table is not None:
            for row in read_table(table, ("image_id", "patient_id"), findings):
                self._of[row["image_id"]] = row["patient_id"]

    def of(self, image_id: str, known: str = "") -> str:
        """The patient of an image; `known`: what the data set itself says."""
        patient = self._of.get(image_id) or known
        if not patient:
            self._unknown.add(image_id)
        return patient or image_id

    def tell(self) -> None:
        """Note how many images had no patient."""
        if self._unknown:
            self._findings.notes.append(
                f"{len(self._unknown)} images have no patient id, so each counts as a patient: if one person has"
                " several, intervals come out too narrow. Name a CSV with image_id and patient_id as `patients`"
            )
