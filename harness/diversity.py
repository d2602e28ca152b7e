"""Reports whose sentences speak of different places: where exchanging the boxes of two sentences changes most."""

import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from harness.case import ImageRecord
from harness.metrics.coverage import Boxes, clip, pack, union_area, whole_frame
from harness.metrics.label import exact_boxes
from harness.metrics.scene import Array
from wronglung.geometry import Frame, letterbox

SHARE = 0.10


def report_overlap(record: ImageRecord) -> float:
    """Mean IoU of the box unions of every two sentences, in the model's frame, in [0, 1].

    Sentences without a box in the frame are left out; NaN unless two remain (arXiv 2210.06565).
    """
    frame = letterbox(record.width, record.height)
    labels = [exact_boxes(sentence.boxes, frame) for sentence in record.sentences]
    areas = _areas(labels, frame)
    pairs = list(itertools.combinations(np.flatnonzero(areas > 0), 2))
    if not pairs:
        return float("nan")
    either = _areas([[*labels[a], *labels[b]] for a, b in pairs], frame)
    both = np.array([areas[a] + areas[b] for a, b in pairs]) - either
    return float(np.clip(both / either, 0.0, 1.0).mean())


def _areas(labels: Sequence[Boxes], frame: Frame) -> Array:
    """(N,): the area of each label's union inside the frame."""
    return union_area(clip(pack(labels), whole_frame(len(labels), (frame.height, frame.width))))


def most_diverse_reports(records: Iterable[ImageRecord], share: float = SHARE) -> frozenset[str]:
    """Ids of the images whose reports overlap the least, until they hold `share` of the sentences of all reports that
    have an overlap. Reports are taken whole, and those of equal overlap together, so that no order matters."""
    sizes: dict[float, list[tuple[str, int]]] = {}
    for record in records:
        overlap = report_overlap(record)
        if not np.isnan(overlap):
            sizes.setdefault(overlap, []).append((record.image_id, len(record.sentences)))
    wanted = share * sum(size for reports in sizes.values() for _, size in reports)
    chosen: set[str] = set()
    taken = 0
    for overlap in sorted(sizes):
        if taken >= wanted:
            break
        chosen.update(image_id for image_id, _ in sizes[overlap])
        taken += sum(size for _, size in sizes[overlap])
    return frozenset(chosen)
