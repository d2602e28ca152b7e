"""Whether boxes fit their copies on 224 × 224 pixels, and their images: exchanged columns and shrunken images show."""

from pathlib import Path
from typing import NamedTuple

from harness.dataset.base import Findings
from harness.dataset.checks import Unusable, image_size
from harness.dataset.chest_imagenome.statements import Corners
from harness.dataset.files import read_table

SIDE = 224
TOLERANCE = 1.5
"""Pixels of the 224. The copies are whole numbers."""
SIZE_TOLERANCE = 3.0
"""Pixels of the 224, by which an image may differ from the one that its boxes were drawn on."""


class Scaling(NamedTuple):
    """How an image was brought to 224 × 224: ``x = original x · ratio + left``, and ``top`` for y; `right` and `bottom`
    fill what remains."""

    ratio: float
    left: float
    top: float
    right: float
    bottom: float

    def agree(self, small: Corners, original: Corners) -> bool:
        """Whether a box of the 224 × 224 is the original one."""
        offsets = (self.left, self.top, self.left, self.top)
        moved = (value * self.ratio + offset for value, offset in zip(original, offsets, strict=True))
        return all(abs(a - b) <= TOLERANCE for a, b in zip(moved, small, strict=True))

    def check_image(self, path: Path) -> None:
        """Check that an image is as large as when its boxes were drawn: copies of MIMIC-CXR are often shrunk.

        Raises:
            Unusable: it has another size, is missing, or is none.
        """
        width, height = image_size(path)
        across = width * self.ratio + self.left + self.right
        down = height * self.ratio + self.top + self.bottom
        if max(abs(across - SIDE), abs(down - SIDE)) > SIZE_TOLERANCE:
            raise resized(width, height)


def resized(width: int, height: int) -> Unusable:
    """What is wrong with an image that has not the size of the original."""
    message = f"its boxes do not belong to an image of {width} x {height} pixels: use images in their original size"
    return Unusable("image_resized", message)


def read_scaling(path: Path, findings: Findings) -> dict[str, Scaling]:
    """The scaling of each image by its id; nothing where there is no such file, as it is only needed for a check.

    Raises:
        DatasetError: it lacks a column, or is packed and cut off.
    """
    if not path.is_file():
        return {}
    found = {}
    for row in read_table(path, ("image_id", *Scaling._fields), findings):
        try:
            scaling = Scaling(*(float(row[name]) for name in Scaling._fields))
        except ValueError:
            findings.leave_out("bad_scaling", row.where, f"{', '.join(Scaling._fields)} must be numbers")
            continue
        found[row["image_id"].removesuffix(".dcm")] = scaling
    return found
