"""Several readers of one image: whose boxes count, and how far the readers agree."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from harness.metrics.coverage import pack, union_area

UNION = "union"
"""All readers' boxes together: wherever any of them saw the finding."""
Rect = tuple[float, float, float, float]


@dataclass(slots=True)
class Agreement:
    """How often two readers of an image mark the same finding, and how well their boxes meet when both do."""

    either: int = 0
    both: int = 0
    overlap: float = 0.0

    def see(self, boxes: Iterable[Sequence[Rect]]) -> None:
        """The boxes of one finding on one image by each reader of the image; empty for one who saw nothing."""
        for one, other in itertools.combinations(boxes, 2):
            self.either += bool(one or other)
            if one and other:
                self.both += 1
                self.overlap += _iou(one, other)

    def notes(self, policy: str) -> Iterator[str]:
        """In words; nothing if no image has two readers."""
        if not self.either:
            return
        meet = f", with a mean IoU of {self.overlap / self.both:.2f}" if self.both else ""
        counted = "the boxes of all readers count together" if policy == UNION else f"only those of {policy!r} count"
        yield (
            f"of {self.either} findings that one of two readers of an image marked, both marked"
            f" {self.both} ({100 * self.both / self.either:.0f} %){meet}; {counted}"
        )


def _iou(one: Sequence[Rect], other: Sequence[Rect]) -> float:
    mine, theirs, either = union_area(pack([one, other, [*one, *other]]))
    return float(np.clip((mine + theirs - either) / either, 0.0, 1.0)) if either > 0 else 0.0
