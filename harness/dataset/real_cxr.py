"""A small set of real radiographs with sentences and lung boxes, mapped to our JSONL format.

A directory with `pairs.jsonl` (a sentence with its lung boxes on each line), `images.jsonl` (an image with all its
regions on each line) and the images. The boxes are taken as half-open: some have x1 or y1 equal to the image's size,
which an inclusive maximum cannot be.
"""

import json
import os
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

from harness.dataset.base import Findings
from harness.dataset.line import Line, NamedBox, SentenceBox
from harness.dataset.records import RecordBuilder, RecordedDataset

ROOT_VARIABLE = "WRONGLUNG_REAL_CXR"
DEFAULT_ROOT = Path("../shared/real_cxr")
ANATOMY_KINDS = ("lung_box", "anatomy_mask_box")


def real_cxr_root(configured: Path | None) -> Path:
    """Where the set lies: as configured, else $WRONGLUNG_REAL_CXR, else beside the checkout.

    Raises:
        FileNotFoundError: nothing is there; the message says what to set.
    """
    root = configured or Path(os.environ.get(ROOT_VARIABLE, DEFAULT_ROOT))
    if not (root / "pairs.jsonl").is_file():
        raise FileNotFoundError(
            f"no pairs.jsonl in {root}: point dataset.root of the run file, or ${ROOT_VARIABLE}, at the real_cxr folder"
        )
    return root


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for text in file:
            if text.strip():
                yield json.loads(text)


def _regions(image: dict[str, Any]) -> tuple[NamedBox, ...]:
    """The anatomy of an image, each name once (a box drawn for the lungs comes before one around a mask)."""
    found: dict[str, NamedBox] = {}
    for kind in ANATOMY_KINDS:
        for region in image["regions"]:
            if region["kind"] == kind:
                found.setdefault(region["name"], NamedBox(name=region["name"], box_xyxy=tuple(region["box_xyxy"])))
    return tuple(found.values())


def _boxes(pair: dict[str, Any], present: bool) -> Iterator[SentenceBox]:
    """Each lung with the finding, and with "abnormal" or its absence."""
    for box in pair["lung_boxes"]:
        for label in (pair["finding"], "abnormal"):
            yield SentenceBox(name=box["name"], box_xyxy=tuple(box["box_xyxy"]), label=label, context=present)


def _line(pair: dict[str, Any], regions: tuple[NamedBox, ...]) -> Line:
    present = pair["polarity"] == "present"
    return Line(
        image=pair["image"],
        image_id=pair["image"],
        patient_id=pair["patient_id"],
        study_id=pair["image"],
        sentence_id=pair["pair_id"],
        sentence=pair["sentence"],
        boxes=tuple(_boxes(pair, present)),
        regions=regions,
        negated=not present,
        strata={"side": pair["side"]},
    )


def open_real_cxr(root: Path | None = None, *, seen_patients: Set[str] = frozenset()) -> RecordedDataset:
    """Read and check the set, without the patients that a model was finetuned on.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    folder = real_cxr_root(root)
    regions = {image["image"]: _regions(image) for image in _rows(folder / "images.jsonl")}
    findings = Findings()
    builder = RecordBuilder(folder, findings, seen_patients=seen_patients)
    for pair in _rows(folder / "pairs.jsonl"):
        builder.add(_line(pair, regions.get(pair["image"], ())), pair["pair_id"])
    return RecordedDataset("real_cxr", builder.records(), findings)
