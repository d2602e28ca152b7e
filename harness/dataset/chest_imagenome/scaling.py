"""Whether an annotated box agrees with its copy on 224 × 224 pixels: exchanged columns show here."""

from pathlib import Path
from typing import NamedTuple

from harness.dataset.base import Findings
from harness.dataset.chest_imagenome.statements import Corners
from harness.dataset.files import read_table

TOLERANCE = 1.5
"""Pixels of the 224. The copies are whole numbers."""


class Scaling(NamedTuple):
    """How an image was brought to 224 × 224: ``x = original x · ratio + left``, and ``top`` for y."""

    ratio: float
    left: float
    top: float

    def agree(self, small: Corners, original: Corners) -> bool:
        """Whether a box of the 224 × 224 is the original one."""
        offsets = (self.left, self.top, self.left, self.top)
        moved = (value * self.ratio + offset for value, offset in zip(original, offsets, strict=True))
        return all(abs(a - b) <= TOLERANCE for a, b in zip(moved, small, strict=True))


def read_scaling(path: Path, findings: Findings) -> dict[str, Scaling]:
    """The scaling of each image by its id; nothing where there is no such file, as it is only needed for a check.

    Raises:
        DatasetError: it lacks a column, or is packed and cut off.
    """
    if not path.is_file():
        return {}
    found = {}
    for row in read_table(path, ("image_id", "top", "bottom", "left", "right", "ratio"), findings):
        try:
            scaling = Scaling(float(row["ratio"]), float(row["left"]), float(row["top"]))
        except ValueError:
            findings.leave_out("bad_scaling", row.where, "ratio, left and top must be numbers")
            continue
        found[row["image_id"].removesuffix(".dcm")] = scaling
    return found
