"""Encoded radiographs → grey pixels as a reader sees them. JPEG, PNG and DICOM, by their bytes, whatever their name.

The bytes come from anyone: every function raises `ImageError`s and nothing else, and nothing is decoded before its
header has passed the limits.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt

from wronglung.errors import ImageEmpty, ImageFormatUnsupported, ImageTooManyBytes, ImageTooManyPixels
from wronglung.limits import LIMITS, Limits

Format = Literal["jpeg", "png", "dicom"]
Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

_DICOM_PREAMBLE = 128

__all__ = ["Format", "Pixels", "check", "decode", "header_size", "sniff"]


def sniff(data: bytes) -> Format:
    """Tell the format by the first bytes.

    Raises:
        ImageEmpty: no bytes.
        ImageFormatUnsupported: none of the three formats.
    """
    if not data:
        raise ImageEmpty("the image has no bytes: send a JPEG, PNG or DICOM file", field="image")
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data[_DICOM_PREAMBLE : _DICOM_PREAMBLE + 4] == b"DICM":
        return "dicom"
    raise ImageFormatUnsupported("neither JPEG, PNG nor DICOM: convert the image to one of these", field="image")


def header_size(data: bytes) -> tuple[int, int]:
    """(width, height) in pixels as a reader sees the image, read from its header alone.

    Raises:
        ImageError: not an image, a flavour that is not supported, or a damaged header.
    """
    match sniff(data):
        case "dicom":
            from wronglung.images import dicom

            return dicom.header_size(data)
        case kind:
            from wronglung.images import raster

            return raster.header_size(data, kind)


def check(data: bytes, limits: Limits = LIMITS) -> tuple[int, int]:
    """Hold an encoded image against the limits without decoding it; returns its (width, height).

    Raises:
        ImageError: it passes a limit, or its header cannot be read.
    """
    if len(data) > limits.image_bytes:
        raise ImageTooManyBytes(
            f"the image has {len(data)} bytes, {limits.image_bytes} are allowed: compress or shrink it", field="image"
        )
    width, height = header_size(data)
    if width * height > limits.image_pixels:
        raise ImageTooManyPixels(
            f"the image has {width} x {height} pixels, {limits.image_pixels} are allowed: shrink it", field="image"
        )
    return width, height


def decode(data: bytes, limits: Limits = LIMITS) -> Pixels:
    """Decode to (height, width) grey pixels, upright, bright where a reader sees them bright.

    uint8, or uint16 over its full range: 16-bit PNG as stored, DICOM of more than 8 bits after its window. Colour
    becomes luminance; transparent pixels become black, as the background of a radiograph is.

    Raises:
        ImageError: it passes a limit, is not supported, or is damaged.
    """
    check(data, limits)
    match sniff(data):
        case "dicom":
            from wronglung.images import dicom

            return dicom.decode(data)
        case kind:
            from wronglung.images import raster

            return raster.decode(data, kind)
