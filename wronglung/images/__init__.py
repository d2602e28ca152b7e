"""Encoded images → grey pixels as a reader sees them: JPEG, PNG and DICOM, told apart by their first bytes.

Bytes come from anywhere. Whatever they hold, these functions return or raise an `ImageError`; nothing is allocated by
the word of a header before `check` has held that header against the limits. Pillow, pydicom, imagecodecs
and simplejpeg, no torch.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from wronglung.errors import ImageEmpty, ImageFormatUnsupported, ImageTooManyBytes, ImageTooManyPixels
from wronglung.limits import LIMITS, Limits

Format = Literal["jpeg", "png", "dicom"]
Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

_JPEG_START = b"\xff\xd8\xff"
_PNG_START = b"\x89PNG\r\n\x1a\n"
_DICOM_PREAMBLE_BYTES = 128


def sniff(data: bytes) -> Format:
    """Tell the format by the first bytes.

    Raises:
        ImageEmpty: there are no bytes.
        ImageFormatUnsupported: it is none of the three.
    """
    if not data:
        raise ImageEmpty("the image has no bytes: send the content of a JPEG, PNG or DICOM file", field="image")
    if data.startswith(_JPEG_START):
        return "jpeg"
    if data.startswith(_PNG_START):
        return "png"
    if data.startswith(b"DICM", _DICOM_PREAMBLE_BYTES):
        return "dicom"
    raise ImageFormatUnsupported("the image is neither JPEG, PNG nor DICOM: convert it to one of them", field="image")


def header_size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels as a reader sees the image, from the header alone: nothing is decoded.

    Raises:
        ImageError: the header cannot be read, or is of a kind that is not supported.
    """
    return _reader(data).size(data)


def check(data: bytes, limits: Limits = LIMITS) -> tuple[int, int]:
    """Hold an encoded image against the limits, by its number of bytes and its header; returns `header_size`.

    Raises:
        ImageError: it passes a limit, cannot be read, or is of a kind that is not supported.
    """
    if len(data) > limits.image_bytes:
        message = f"the image has {len(data)} bytes, {limits.image_bytes} are allowed: compress it or make it smaller"
        raise ImageTooManyBytes(message, field="image")
    width, height = header_size(data)
    if width * height > limits.image_pixels:
        message = f"the image has {width} x {height} pixels, {limits.image_pixels} are allowed: make it smaller"
        raise ImageTooManyPixels(message, field="image")
    return width, height


def decode(data: bytes, limits: Limits = LIMITS) -> Pixels:
    """Decode an image to grey, H × W, as a reader sees it; black is 0, white the largest value of the type.

    * JPEG and PNG: the EXIF orientation is applied. Colour becomes luma (ITU-R 601), exactly the Y channel of a JPEG.
      Transparent pixels fade to black, which is what a radiograph shows where nothing was exposed and what the model's
      frame is padded with. 8 bits give uint8, 16-bit grey PNG gives uint16; 16-bit PNG with colour or alpha is
      reduced to its upper 8 bits.
    * DICOM: rescaled, windowed (the first window or VOI table of the file), MONOCHROME1 inverted. The result is uint16
      and fills its range: what the window maps to black is 0, to white 65535. Without a window, an unsigned 8-bit image
      comes as it is stored, as uint8; any other is stretched from its smallest to its largest value.

    Raises:
        ImageError: as `check`; and ImageCorrupt if the pixels cannot be read.
    """
    check(data, limits)
    return _reader(data).decode(data)


def decoded_in_isolation(data: bytes) -> bool:
    """Whether `decode` would decode these bytes in a process of its own, which only time can end; see `isolated`.

    Raises:
        ImageError: the header cannot be read, or is of a kind that is not supported.
    """
    if sniff(data) != "dicom":
        return False
    from wronglung.images import dicom

    return dicom.is_isolated(data)


class _Reader(NamedTuple):
    size: Callable[[bytes], tuple[int, int]]
    decode: Callable[[bytes], Pixels]


def _reader(data: bytes) -> _Reader:
    """The functions for the format of these bytes; pydicom takes long to import and is so only when needed."""
    kind = sniff(data)
    if kind == "dicom":
        from wronglung.images import dicom

        return _Reader(dicom.size, dicom.decode)
    from wronglung.images import raster

    return (
        _Reader(raster.jpeg_size, raster.decode_jpeg) if kind == "jpeg" else _Reader(raster.png_size, raster.decode_png)
    )
