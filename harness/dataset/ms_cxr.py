"""MS-CXR 1.1: sentences of MIMIC-CXR reports with boxes, as CSV or as JSON in COCO's layout.

Boxes of one `label_text` on one image belong together. Patient and study come from the path of the image.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from harness.dataset.base import DatasetError, Findings
from harness.dataset.checks import Unusable, read_patients
from harness.dataset.coco import Image, add_box, read_coco
from harness.dataset.config import MsCxrConfig
from harness.dataset.files import Row, read_table
from harness.dataset.finding import Place
from harness.dataset.imagefiles import Patients, check_folder, find_image
from harness.dataset.phrases import Phrases, Source, from_sizes, number
from harness.dataset.records import RecordBuilder, RecordedDataset

COLUMNS = ("dicom_id", "category_name", "label_text", "path", "x", "y", "w", "h", "image_width", "image_height")
_FILED = re.compile(r"(?:^|/)p(\d+)/s(\d+)/[^/]+$")


@dataclass(frozen=True, slots=True)
class _Known:
    """What the annotations say of their image."""

    path: str
    size: tuple[int, int] | None


def open_ms_cxr(config: MsCxrConfig) -> RecordedDataset:
    """Read and check a file of annotations; JSON if its name says so, else CSV.

    Raises:
        FileNotFoundError: there is no such file, or no folder of images.
        DatasetError: a column or list is missing, the file is cut off, or there is no such split.
    """
    check_folder(config.images)
    findings = Findings()
    patients = Patients(config.patients, findings)
    phrases = Phrases(findings)
    read = _read_json if ".json" in config.path.suffixes else _read_csv
    splits: set[str] = set()
    images = read(config, phrases, findings, splits)
    if config.split not in (None, *splits):
        there = ", ".join(sorted(splits - {""})) or "none"
        raise DatasetError(f"no split {config.split!r} in {config.path}; it has: {there}")

    def source(image_id: str) -> Source:
        known = images[image_id]
        filed = _FILED.search(known.path)
        patient, study = filed.groups() if filed else ("", image_id)
        path = find_image(config.images, [known.path])
        return Source(path, patients.of(image_id, patient), study, known.size)

    builder = RecordBuilder(config.images, findings, seen_patients=read_patients(config.finetuned_patients))
    phrases.add_to(builder, config.images, source)
    patients.tell()
    return RecordedDataset(f"ms_cxr:{config.split or 'all'}", builder.records(), findings)


def _read_csv(config: MsCxrConfig, phrases: Phrases, findings: Findings, splits: set[str]) -> dict[str, _Known]:
    images: dict[str, _Known] = {}
    columns = (*COLUMNS, "split") if config.split else COLUMNS
    for row in read_table(config.path, columns, findings):
        split = row.values.get("split", "")
        splits.add(split)
        if config.split in (None, split):
            phrase = phrases.phrase(
                row["dicom_id"],
                row["label_text"],
                row.where,
                finding=row["category_name"],
                strata={"split": split} if split else {},
            )
            with phrases.guard(phrase, row.where):
                phrases.add_place(phrase, _place(row, images), row.where, row["category_name"])
    return images


def _place(row: Row, images: dict[str, _Known]) -> Place:
    size = int(number(row.values, "image_width")), int(number(row.values, "image_height"))
    known = images.setdefault(row["dicom_id"], _Known(row["path"], size))
    if known != _Known(row["path"], size):
        raise Unusable("image_contradicts", "path, image_width or image_height differ from an earlier row of the image")
    return from_sizes(*(number(row.values, column) for column in "xywh")), None


def _read_json(config: MsCxrConfig, phrases: Phrases, findings: Findings, splits: set[str]) -> dict[str, _Known]:
    coco = read_coco(config.path, findings)
    if config.split and not any(annotation.split for _, annotation in coco.annotations):
        raise DatasetError(f"no annotation of {config.path} names its split: leave out dataset.split, or read the CSV")
    images = {_dicom_id(image): _Known(image.path or image.file_name, image.size) for image in coco.images.values()}
    for where, annotation in coco.annotations:
        image = coco.images.get(annotation.image_id)
        splits.add(annotation.split or "")
        if config.split is not None and annotation.split != config.split:
            continue
        if image is None:
            findings.leave_out("image_unknown", where, f"image_id {annotation.image_id!r} is not one of the images")
            continue
        phrase = phrases.phrase(
            _dicom_id(image),
            annotation.label_text or "",
            where,
            finding=coco.category(annotation),
            strata={"split": annotation.split} if annotation.split else {},
        )
        add_box(coco, where, annotation, phrase, phrases)
    return images


def _dicom_id(image: Image) -> str:
    return Path(image.file_name).stem
