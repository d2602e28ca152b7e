"""Every layout that the phantom set can be written in."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.dataset.export import (
    chest_imagenome,
    chexlocalize,
    coco,
    jsonl,
    ms_cxr,
    padchest_gr,
    vindr_cxr,
)
from harness.settings import ConfigError
from wronglung.keys import suggest


@dataclass(frozen=True, slots=True)
class Exporter:
    """One layout."""

    write: Callable[[Path, int, int], None]
    """Fills an empty folder, given the number of patients and the seed."""
    reads_back: tuple[str, ...]
    """How `harness validate` names what was written; ``{}`` stands for the folder."""
    meaning: str


_IMAGENOME = f"{{}}/{chest_imagenome.ROOT},images={{}}"

EXPORTERS: dict[str, Exporter] = {
    "chest_imagenome": Exporter(
        chest_imagenome.write_phantoms,
        tuple(
            f"chest_imagenome_{kind}:{_IMAGENOME}/{images}"
            for kind in ("gold", "silver")
            for images in (chest_imagenome.JPEG_ROOT, chest_imagenome.DICOM_ROOT)
        ),
        "Chest ImaGenome, gold and silver, over MIMIC-CXR (DICOM) and MIMIC-CXR-JPG",
    ),
    "chexlocalize": Exporter(
        chexlocalize.write_phantoms,
        (f"chexlocalize:{{}}/{chexlocalize.FILE},images={{}}/{chexlocalize.IMAGES}",),
        "CheXlocalize over CheXpert",
    ),
    "coco": Exporter(coco.write_phantoms, (f"coco:{{}}/{coco.FILE},images={{}}/{coco.IMAGES}",), "COCO with captions"),
    "jsonl": Exporter(jsonl.write_phantoms, (f"jsonl:{{}}/{jsonl.FILE}",), "our own JSONL with PNG images"),
    "ms_cxr": Exporter(
        ms_cxr.write_phantoms,
        tuple(
            f"ms_cxr:{{}}/{ms_cxr.STEM}.{kind},images={{}}/{images}"
            for kind, images in (("csv", ms_cxr.JPEG_ROOT), ("json", ms_cxr.DICOM_ROOT))
        ),
        "MS-CXR as CSV and as JSON, over MIMIC-CXR-JPG and MIMIC-CXR (DICOM)",
    ),
    "padchest_gr": Exporter(
        padchest_gr.write_phantoms,
        (f"padchest_gr:{{}}/{padchest_gr.FILE},images={{}}/{padchest_gr.IMAGES},patients={{}}/{padchest_gr.PATIENTS}",),
        "PadChest-GR with PNG images",
    ),
    "vindr_cxr": Exporter(
        vindr_cxr.write_phantoms,
        (f"vindr_cxr:{{}}/{vindr_cxr.FILE},images={{}}/{vindr_cxr.IMAGES},patients={{}}/{vindr_cxr.PATIENTS}",),
        "VinDr-CXR with DICOM images",
    ),
}


def export(layout: str, folder: Path, *, patients: int, seed: int) -> list[str]:
    """Write phantoms in a layout; returns how `harness validate` and `parse_dataset` name what was written.

    The same layout, patients and seed give the same bytes.

    Raises:
        ConfigError: there is no such layout, there is something in the folder, or the numbers are out of range.
    """
    exporter = EXPORTERS.get(layout)
    if exporter is None:
        raise ConfigError(f"unknown layout {layout!r}{suggest(layout, EXPORTERS)}")
    if patients < 1 or not 0 <= seed < 2**32:
        raise ConfigError(f"patients must be at least 1 and the seed lie in [0, 2**32), got {patients} and {seed}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} exists: name a folder that is new or empty")
    folder.mkdir(parents=True, exist_ok=True)
    exporter.write(folder, patients, seed)
    return [name.replace("{}", str(folder)) for name in exporter.reads_back]
