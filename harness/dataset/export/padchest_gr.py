"""The phantom set in the layout of PadChest-GR, with PNG images.

The second reader's boxes lie a little inside the first one's. `patients.csv` says whose image each is, which the layout
cannot. It cannot carry either: boxes of sentences that state nothing abnormal, the regions' names, strata, a Spanish
sentence (the phantoms have none).
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.case import ImageRecord, Sentence
from harness.dataset.export.affirmed import finding_of
from harness.dataset.export.shrink import shrink
from harness.dataset.export.tables import write_document, write_patients
from harness.dataset.phantom import PhantomDataset
from harness.dataset.phrases import Xyxy

FILE, IMAGES, PATIENTS = "grounded_reports_20240819.json", "PadChest_GR", "patients.csv"


def write_phantoms(folder: Path, patients: int, seed: int) -> None:
    """Write the reports, the images, and whose they are."""
    (folder / IMAGES).mkdir()
    reports = []
    owners = []
    for record in PhantomDataset(seed, "test", patients):
        (folder / IMAGES / _image_id(record)).write_bytes(record.load())
        owners.append((_image_id(record), record.patient_id))
        findings = [_finding(record, sentence) for sentence in record.sentences]
        reports.append({"StudyID": record.study_id, "ImageID": _image_id(record), "findings": findings})
    write_document(folder / FILE, reports)
    write_patients(folder / PATIENTS, owners)


def _image_id(record: ImageRecord) -> str:
    return f"{record.image_id}.png"


def _finding(record: ImageRecord, sentence: Sentence) -> dict[str, Any]:
    label = finding_of(sentence)
    boxes = sentence.boxes if label else ()
    return {
        "sentence_en": sentence.text,
        "sentence_es": "",
        "abnormal": label is not None,
        "boxes": _shares(record, (box.xyxy for box in boxes)),
        "extra_boxes": _shares(record, map(shrink, boxes)),
        "labels": [label or "Normal"],
    }


def _shares(record: ImageRecord, boxes: Iterable[Xyxy]) -> list[list[float]]:
    size = record.width, record.height, record.width, record.height
    return [[value / whole for value, whole in zip(box, size, strict=True)] for box in boxes]
