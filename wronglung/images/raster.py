"""JPEG and PNG: orientation, grey, alpha. Pixels of JPEG by `jpeg_decoder`, all else through Pillow."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from wronglung.errors import ImageFormatUnsupported
from wronglung.images import jpeg, png
from wronglung.images.guard import corrupt_on_failure
from wronglung.images.jpeg_decoder import decode_grey

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

_ORIENTATION_TAG = 0x0112
_UPRIGHT: dict[int, Callable[[Pixels], Pixels]] = {
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(pixels, 2).T,
    8: np.rot90,
}
"""What brings pixels of an EXIF orientation upright; every other value means that they are."""
_SIDEWAYS = frozenset({5, 6, 7, 8})
_JPEG_PROCESSES = frozenset({0xC0, 0xC1, 0xC2})
_INKS = 4

# `JpegImageFile` and `PngImageFile` are used as they are, not through `Image.open`: its check for decompression bombs
# warns or raises by a global variable. Ours has been made before, by `wronglung.images.check`.


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Width and height of a JPEG as a reader sees it."""
    header = _jpeg_header(data)
    with corrupt_on_failure("JPEG"):
        return _seen_size(header.width, header.height, _orientation(JpegImageFile(BytesIO(data))))


def png_size(data: bytes) -> tuple[int, int]:
    """Width and height of a PNG as a reader sees it."""
    header = png.read_header(data)
    with corrupt_on_failure("PNG"):
        return _seen_size(header.width, header.height, _orientation(_open_png(data, header)))


def decode_jpeg(data: bytes) -> Pixels:
    """Decode a JPEG. Of a coloured one only luma is decoded, as OpenCV does when asked for grey."""
    header = _jpeg_header(data, verify=True)
    with corrupt_on_failure("JPEG"):
        image = JpegImageFile(BytesIO(data))
        luma = decode_grey(data)
        return _upright(_grey(image) if header.components == _INKS else luma, _orientation(image))


def decode_png(data: bytes) -> Pixels:
    """Decode a PNG whose check sums are right."""
    header = png.read_header(data, verify=True)
    with corrupt_on_failure("PNG"):
        image = _open_png(data, header)
        return _upright(_grey(image), _orientation(image))


def _jpeg_header(data: bytes, *, verify: bool = False) -> jpeg.JpegHeader:
    header = jpeg.read_header(data, verify=verify)
    if header.process not in _JPEG_PROCESSES or header.bits != 8:
        message = f"JPEG of this kind ({header.bits} bits, process {header.process:#x}) is not supported: "
        raise ImageFormatUnsupported(message + "send baseline or progressive JPEG of 8 bits, or PNG", field="image")
    return header


def _open_png(data: bytes, header: png.PngHeader) -> PngImageFile:
    image = PngImageFile(BytesIO(data))
    if header.exif:  # Pillow by itself finds it only before the pixels, or after decoding them
        image.info["exif"] = header.exif
    return image


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 without one. EXIF data that cannot be read is an error: left and right depend on it."""
    exif = Image.Exif()
    exif.load(image.info.get("exif", b""))  # raises; Pillow's own reading of a JPEG goes on without
    orientation = exif.get(_ORIENTATION_TAG) or Image.Image.getexif(image).get(_ORIENTATION_TAG)  # the latter from XMP
    return orientation if isinstance(orientation, int) else 1


def _seen_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    return (height, width) if orientation in _SIDEWAYS else (width, height)


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    turn = _UPRIGHT.get(orientation)
    return pixels if turn is None else turn(pixels).copy()


def _grey(image: Image.Image) -> Pixels:
    if image.mode.startswith("I"):
        return _grey16(image)
    if image.has_transparency_data:
        with_alpha = image.convert("RGBA")
        return np.array(ImageChops.multiply(with_alpha.convert("L"), with_alpha.getchannel("A")))
    return np.array(image.convert("L"))


def _grey16(image: Image.Image) -> npt.NDArray[np.uint16]:
    pixels = np.array(image).astype(np.uint16)
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        pixels[pixels == transparent] = 0
    return pixels
