"""The phantom set in the layout of MS-CXR 1.1, over folders of MIMIC-CXR-JPG and MIMIC-CXR.

What the layout cannot carry: sentences that state nothing abnormal, the regions' names, coordinates in fractions of a
pixel, strata.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.case import Sentence
from harness.dataset.export.affirmed import affirmed
from harness.dataset.export.mimic_cxr import Archive, Filed, write_study
from harness.dataset.export.tables import write_document, write_table
from harness.dataset.export.whole_pixels import whole
from harness.dataset.phantom import PhantomDataset

STEM = "MS_CXR_Local_Alignment_v1.1.0"
JPEG_ROOT, DICOM_ROOT = "mimic-cxr-jpg", "mimic-cxr"
HEADING = (
    *("dicom_id", "category_name", "label_text", "path", "x", "y", "w", "h"),
    *("image_width", "image_height", "split"),
)


@dataclass(frozen=True, slots=True)
class _Mark:
    """One box of one sentence."""

    filed: Filed
    category: str
    sentence: Sentence
    corner: tuple[int, int]
    size: tuple[int, int]

    @property
    def path(self) -> str:
        return f"{self.filed.folder}/{self.filed.dicom_id}.jpg"

    @property
    def split(self) -> str:
        """Every other patient is of the test split."""
        return "val" if int(self.filed.patient_id) % 2 else "test"


def write_phantoms(folder: Path, patients: int, seed: int) -> None:
    """Write the annotations as CSV and as JSON, and the images as JPEG and as DICOM."""
    archive = Archive(seed)
    studies = [archive.file(record) for record in PhantomDataset(seed, "test", patients)]
    for filed in studies:
        write_study(filed, folder / JPEG_ROOT, folder / DICOM_ROOT)
    marks = list(_marks(studies))
    write_table(folder / f"{STEM}.csv", HEADING, map(_row, marks))
    write_document(folder / f"{STEM}.json", _document(studies, marks))


def _marks(studies: Iterable[Filed]) -> Iterator[_Mark]:
    for filed in studies:
        for label, sentence in affirmed(filed.record):
            for box in sentence.boxes:
                x0, y0, x1, y1 = whole(box)
                yield _Mark(filed, label.capitalize(), sentence, (x0, y0), (x1 - x0, y1 - y0))


def _row(mark: _Mark) -> Sequence[Any]:
    record = mark.filed.record
    return (
        *(mark.filed.dicom_id, mark.category, mark.sentence.text, mark.path, *mark.corner, *mark.size),
        *(record.width, record.height, mark.split),
    )


def _document(studies: Sequence[Filed], marks: Sequence[_Mark]) -> dict[str, Any]:
    categories = {name: number for number, name in enumerate(dict.fromkeys(mark.category for mark in marks), start=1)}
    numbers = {filed.dicom_id: number for number, filed in enumerate(studies, start=1)}
    shown = {mark.filed.dicom_id: mark for mark in marks}
    return {
        "info": {"description": "phantoms in the layout of MS-CXR", "version": "1.1.0"},
        "licenses": [],
        "images": [
            {
                "id": numbers[name],
                "file_name": f"{name}.jpg",
                "path": mark.path,
                "width": mark.filed.record.width,
                "height": mark.filed.record.height,
            }
            for name, mark in shown.items()
        ],
        "categories": [{"id": number, "name": name} for name, number in categories.items()],
        "annotations": [
            {
                "id": number,
                "image_id": numbers[mark.filed.dicom_id],
                "category_id": categories[mark.category],
                "bbox": [*mark.corner, *mark.size],
                "label_text": mark.sentence.text,
                "split": mark.split,
            }
            for number, mark in enumerate(marks, start=1)
        ],
    }
