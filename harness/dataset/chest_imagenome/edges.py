"""What to do with boxes that reach out of their image: some of Chest ImaGenome's do, as they were drawn on padding."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from harness.dataset.base import Findings
from harness.dataset.checks import image_size
from harness.dataset.line import Line, NamedBox

BoxType = TypeVar("BoxType", bound=NamedBox)
Prepare = Callable[[Line, str, Findings], Line]
"""Changes a sentence before it is checked: the sentence, where it stands, and where to count."""


def leave(line: Line, where: str, findings: Findings) -> Line:
    """Boxes stay as they are: one that reaches out of the image costs its sentence."""
    return line


def clip(line: Line, where: str, findings: Findings) -> Line:
    """Boxes end at the edge of the image; one that lies outside altogether stays as it is. The sentence's boxes are
    counted; an image's regions come with each of its sentences, and are not.

    Raises:
        Unusable: the image is missing, or none.
    """
    width, height = image_size(Path(line.image))
    boxes = tuple(_cut(box, width, height) for box in line.boxes)
    for before, after in zip(line.boxes, boxes, strict=True):
        if before is not after:
            message = f"box {before.name!r} {list(before.box_xyxy)} reached out of {width} x {height} pixels"
            findings.warn("box_clipped", where, message)
    regions = tuple(_cut(region, width, height) for region in line.regions)
    return line.model_copy(update={"boxes": boxes, "regions": regions})


def _cut(box: BoxType, width: int, height: int) -> BoxType:
    x0, y0, x1, y1 = box.box_xyxy
    inside = max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height))
    if inside == box.box_xyxy or inside[0] >= inside[2] or inside[1] >= inside[3]:
        return box
    return box.model_copy(update={"box_xyxy": inside})
