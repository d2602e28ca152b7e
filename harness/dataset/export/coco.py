"""The phantom set in COCO's layout, with PNG images. Images name their patient and study, which COCO does not know.

What the layout cannot carry: sentences that state nothing abnormal, the regions' names, strata.
"""

from pathlib import Path
from typing import Any

from harness.case import ImageRecord
from harness.dataset.export.affirmed import affirmed
from harness.dataset.export.tables import write_document
from harness.dataset.phantom import PhantomDataset

FILE, IMAGES = "annotations/instances.json", "images"


def write_phantoms(folder: Path, patients: int, seed: int) -> None:
    """Write the annotations and the images."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    categories: dict[str, int] = {}
    (folder / IMAGES).mkdir()
    (folder / FILE).parent.mkdir()
    for record in PhantomDataset(seed, "test", patients):
        images.append(_image(record, len(images) + 1))
        (folder / IMAGES / images[-1]["file_name"]).write_bytes(record.load())
        for label, sentence in affirmed(record):
            category = categories.setdefault(label, len(categories) + 1)
            for box in sentence.boxes:
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": images[-1]["id"],
                        "category_id": category,
                        "bbox": [box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0],
                        "caption": sentence.text,
                        "iscrowd": 0,
                    }
                )
    document = {
        "info": {"description": "phantoms"},
        "images": images,
        "annotations": annotations,
        "categories": [{"id": number, "name": name} for name, number in categories.items()],
    }
    write_document(folder / FILE, document)


def _image(record: ImageRecord, number: int) -> dict[str, Any]:
    return {
        "id": number,
        "file_name": f"{record.image_id}.png",
        "width": record.width,
        "height": record.height,
        "patient_id": record.patient_id,
        "study_id": record.study_id,
    }
