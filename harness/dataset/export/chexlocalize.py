"""The phantom set in the layout of CheXlocalize, over CheXpert's folders of JPEG images.

What the layout cannot carry: the sentences (the name of the pathology is all there is, so that sentences of one finding
on one image become one), sentences that state nothing abnormal, the regions' names, fractions of a pixel, strata.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from harness.case import ImageRecord
from harness.dataset.export.affirmed import affirmed
from harness.dataset.export.mimic_cxr import jpeg
from harness.dataset.export.tables import write_document
from harness.dataset.export.whole_pixels import whole
from harness.dataset.phantom import PhantomDataset
from harness.dataset.phantom.findings import KINDS
from harness.mask import Bitmap, encode

FILE, IMAGES = "gt_segmentations_test.json", "CheXpert/test"
PATHOLOGIES = sorted({kind.label for kind in KINDS.values()})


def write_phantoms(folder: Path, patients: int, seed: int) -> None:
    """Write the masks and the images."""
    numbers: dict[str, int] = {}
    studies: Counter[str] = Counter()
    masks: dict[str, Any] = {}
    for record in PhantomDataset(seed, "test", patients):
        studies[record.patient_id] += 1
        patient = f"patient{numbers.setdefault(record.patient_id, len(numbers) + 1):05d}"
        place = patient, f"study{studies[record.patient_id]}", "view1_frontal"
        path = folder / IMAGES / "/".join(place)
        path.parent.mkdir(parents=True)
        path.with_suffix(".jpg").write_bytes(jpeg(record))
        masks["_".join(place)] = _masks(record)
    write_document(folder / FILE, masks)


def _masks(record: ImageRecord) -> dict[str, Any]:
    """Every pathology; where it is not there nothing is drawn."""
    drawn = {label: np.zeros((record.height, record.width), dtype=bool) for label in PATHOLOGIES}
    for label, sentence in affirmed(record):
        for box in sentence.boxes:
            x0, y0, x1, y1 = whole(box)
            drawn[label][y0:y1, x0:x1] = True
    return {label.title(): _encoded(bitmap) for label, bitmap in drawn.items()}


def _encoded(bitmap: Bitmap) -> dict[str, Any]:
    return {"size": list(bitmap.shape), "counts": encode(bitmap).counts}
