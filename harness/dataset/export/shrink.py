"""A second reader: boxes a little inside the first one's, so that both together are the first's."""

from harness.case import Box
from harness.dataset.phrases import Xyxy

_SHARE = 0.05


def shrink(box: Box) -> Xyxy:
    """The box without a twentieth of its width and height on each side."""
    across, down = _SHARE * (box.x1 - box.x0), _SHARE * (box.y1 - box.y0)
    return box.x0 + across, box.y0 + down, box.x1 - across, box.y1 - down
