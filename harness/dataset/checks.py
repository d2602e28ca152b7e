"""Checks that every reader of files shares: boxes, images, and patients that a model has seen."""

import contextlib
from collections.abc import Set
from pathlib import Path
from typing import BinaryIO

from harness.case import Box
from harness.dataset.base import DatasetError, Findings
from harness.dataset.line import Lattice, NamedBox
from harness.mask import BoxMask, MaskError, decode
from wronglung.errors import WronglungError
from wronglung.images import header_size
from wronglung.limits import LIMITS

HEADER_BYTES = 256 * 1024
"""More than the header of a radiograph takes, however many tags it has."""
COPIED_MAXIMA_SHARE = 0.5
COPIED_MAXIMA_BOXES = 20


class Unusable(ValueError):
    """A sentence, region or row cannot be used. `kind` is counted, the message goes to the examples."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def read_box(box: NamedBox, width: int, height: int, *, inclusive_maxima: bool = False) -> Box:
    """Check a box against its image and make it half-open.

    Raises:
        Unusable: it is empty, inside out, or reaches out of the image, or its mask is damaged or empty.
    """
    x0, y0, x1, y1 = box.box_xyxy
    if inclusive_maxima:
        x1, y1 = x1 + 1, y1 + 1
    if not (x0 < x1 and y0 < y1):
        raise Unusable("box_inside_out", f"box {box.name!r} {list(box.box_xyxy)} needs x0 < x1 and y0 < y1")
    if x0 < 0 or y0 < 0 or x1 > width or y1 > height:
        raise Unusable(
            "box_outside_image",
            f"box {box.name!r} {list(box.box_xyxy)} reaches out of the image of {width} x {height} pixels",
        )
    return Box(box.name, x0, y0, x1, y1, None if box.mask is None else read_mask(box.mask))


def read_mask(lattice: Lattice) -> BoxMask:
    """Check a mask.

    Raises:
        Unusable: it cannot be decoded, has more cells than an image may have pixels, or outlines nothing.
    """
    if lattice.rows * lattice.cols > LIMITS.image_pixels:
        raise Unusable("mask_damaged", f"a mask of {lattice.rows} x {lattice.cols} cells is larger than any image")
    mask = BoxMask(lattice.rows, lattice.cols, lattice.counts)
    try:
        drawn = decode(mask)
    except MaskError as error:
        raise Unusable("mask_damaged", str(error)) from error
    if not drawn.any():
        raise Unusable("mask_empty", "the mask outlines nothing")
    return mask


class CopiedMaxima:
    """Notices a file in which many boxes have y1 equal to x1: one column was copied for the other."""

    def __init__(self) -> None:
        self._boxes = 0
        self._copied = 0

    def see(self, box: NamedBox) -> None:
        """Look at one more box."""
        self._boxes += 1
        self._copied += box.box_xyxy[2] == box.box_xyxy[3]

    def tell(self, findings: Findings, where: str) -> None:
        """Warn if it looks like a mistake."""
        if self._boxes >= COPIED_MAXIMA_BOXES and self._copied > COPIED_MAXIMA_SHARE * self._boxes:
            message = f"{self._copied} of {self._boxes} boxes have y1 equal to x1: was x1 copied by mistake?"
            findings.warn("y1_equals_x1", where, message)


def image_size(path: Path) -> tuple[int, int]:
    """Width and height of an image as a reader sees it, from its header alone.

    Raises:
        Unusable: there is no such file, or it is no image that the server reads.
    """
    try:
        with path.open("rb") as file:
            return _size_of(file)
    except OSError as error:
        raise Unusable("image_missing", f"cannot read {path}: {error.strerror}") from error
    except WronglungError as error:
        raise Unusable("image_unreadable", f"{path}: {error}") from error
    except ValueError as error:  # a name with a zero byte
        raise Unusable("image_missing", f"cannot read {str(path)!r}: {error}") from error


def _size_of(file: BinaryIO) -> tuple[int, int]:
    """From the first bytes, if they hold the header; a DICOM file may have tens of megabytes behind it."""
    start = file.read(HEADER_BYTES)
    if len(start) == HEADER_BYTES:
        with contextlib.suppress(WronglungError):  # cut off within the header: the whole file says what is wrong
            return header_size(start)
    return header_size(start + file.read())


def read_patients(path: Path | None) -> frozenset[str]:
    """The patient ids of a text file, one on each line; none without a file.

    Raises:
        FileNotFoundError: there is no such file.
        DatasetError: it is not UTF-8.
    """
    if path is None:
        return frozenset()
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: byte {error.start} is not UTF-8: save the file as UTF-8") from error
    return frozenset(line.strip() for line in lines if line.strip())


def note_patients_left_out(seen: Set[str], met: Set[str], findings: Findings) -> None:
    """Note how many patients of a list were `met`: none may mean that their ids are written otherwise there."""
    if seen:
        findings.notes.append(f"{len(met)} of {len(seen)} patients that a model was trained on have images here")
