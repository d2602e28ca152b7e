"""JPEG and PNG, by Pillow."""

import io
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from wronglung.errors import ImageCorrupt

Kind = Literal["jpeg", "png"]
Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

# The classes themselves, not `Image.open`: only these two decoders can ever run, and `Image.open` has a pixel limit
# of its own.
_FILES: dict[str, type[ImageFile]] = {"jpeg": JpegImageFile, "png": PngImageFile}
_ORIENTATION = 0x0112
_TURNED = {5, 6, 7, 8}


def header_size(data: bytes, kind: Kind) -> tuple[int, int]:
    """(width, height) after EXIF orientation.

    Raises:
        ImageCorrupt: the header is damaged.
    """
    file, orientation = _open(data, kind)
    return (file.height, file.width) if orientation in _TURNED else (file.width, file.height)


def decode(data: bytes, kind: Kind) -> Pixels:
    """(height, width) grey pixels, upright.

    Raises:
        ImageCorrupt: the file is damaged or cut off.
    """
    file, orientation = _open(data, kind)
    try:
        file.load()
        grey = _to_grey(file)
    except Exception as error:  # a decoder may raise anything on hostile bytes; whatever it is, the bytes are at fault
        raise _corrupt(kind) from error
    return _upright(grey, orientation).copy()


def _open(data: bytes, kind: Kind) -> tuple[ImageFile, int]:
    try:
        file = _FILES[kind](io.BytesIO(data))
        # Of a PNG file without EXIF before its pixels, `getexif` would decode the pixels to look for it behind them.
        has_exif = kind == "jpeg" or "exif" in file.info
        return file, int(file.getexif().get(_ORIENTATION, 1)) if has_exif else 1
    except Exception as error:  # as above
        raise _corrupt(kind) from error


def _corrupt(kind: Kind) -> ImageCorrupt:
    return ImageCorrupt(f"the {kind.upper()} file is damaged or cut off: send it again, whole", field="image")


def _to_grey(file: Image.Image) -> Pixels:
    if file.mode.startswith("I;16"):
        return np.asarray(file).astype(np.uint16)
    if file.has_transparency_data:
        rgba = file.convert("RGBA")
        file = Image.alpha_composite(Image.new("RGBA", rgba.size, (0, 0, 0, 255)), rgba)
    return np.asarray(file.convert("L"))


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """Undo EXIF orientation: 2 mirrored, 3 upside down, 4 both, 5 to 8 the same after a transposition."""
    if orientation in _TURNED:
        pixels = pixels.T
    if orientation in {2, 3, 6, 7}:
        pixels = pixels[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    return pixels
