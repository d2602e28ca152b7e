"""Images that are odd, damaged or lie, and what is to become of each: read by the tests of the served stack."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from tests.dicom_files import dicom

PIXELS = np.random.default_rng(5).integers(0, 256, (60, 80), dtype=np.uint8)
WORDS = PIXELS.astype("<u2") * 257
Maker = Callable[[], bytes]


def saved(form: str, pixels: Any = PIXELS, mode: str = "", **options: Any) -> bytes:
    """An image file."""
    file = io.BytesIO()
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(file, form, **options)
    return file.getvalue()


def turned(form: str, orientation: int) -> bytes:
    """A file whose pixels lie on their side and whose EXIF data say so."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(form, np.rot90(PIXELS).copy(), exif=exif)


def animated(form: str) -> bytes:
    """Two frames."""
    return saved(form, save_all=True, append_images=[Image.fromarray(255 - PIXELS)], duration=100)


def lying_jpeg() -> bytes:
    """Its frame header says that it is ten times as high."""
    data = bytearray(saved("JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 2] = (600).to_bytes(2, "big")
    return bytes(data)


def tiles_of_one_pixel() -> bytes:
    """A JPEG 2000 stream with a tile for each pixel."""
    data = bytearray(dicom(np.zeros((250, 250), np.uint8), coding="jpeg 2000"))
    at = data.index(b"\xff\x4f\xff\x51") + 24
    data[at : at + 8] = b"\0\0\0\1\0\0\0\1"
    return bytes(data)


RIGHT: dict[str, tuple[Maker, tuple[int, int]]] = {
    "1 x 1": (lambda: saved("PNG", PIXELS[:1, :1]), (1, 1)),
    "20,000 x 1": (lambda: saved("PNG", np.resize(PIXELS, (1, 20_000))), (20_000, 1)),
    "1 x 20,000": (lambda: saved("PNG", np.resize(PIXELS, (20_000, 1))), (1, 20_000)),
    "black": (lambda: saved("PNG", np.zeros_like(PIXELS)), (80, 60)),
    "16 bits": (lambda: saved("PNG", WORDS), (80, 60)),
    "CMYK": (lambda: saved("JPEG", mode="CMYK"), (80, 60)),
    "palette": (lambda: saved("PNG", mode="P"), (80, 60)),
    "transparent": (lambda: saved("PNG", mode="LA"), (80, 60)),
    "progressive": (lambda: saved("JPEG", progressive=True), (80, 60)),
    "turned JPEG": (lambda: turned("JPEG", 6), (80, 60)),
    "turned PNG": (lambda: turned("PNG", 6), (80, 60)),
    "DICOM, 12 bits": (lambda: dicom(WORDS >> 4, bits=12, WindowCenter=2000, WindowWidth=3000), (80, 60)),
    "DICOM, JPEG-LS": (lambda: dicom(PIXELS, coding="jpeg-ls"), (80, 60)),
    "DICOM, JPEG 2000": (lambda: dicom(PIXELS, coding="jpeg 2000"), (80, 60)),
}
"""What is to be answered, and the width and height that its frame must have."""

REFUSED: dict[str, tuple[Maker, str]] = {
    "animated PNG": (lambda: animated("PNG"), "FORMAT_UNSUPPORTED"),
    "animated GIF": (lambda: animated("GIF"), "FORMAT_UNSUPPORTED"),
    "truncated PNG": (lambda: saved("PNG")[:-500], "CORRUPT"),
    "truncated JPEG": (lambda: saved("JPEG")[:-500], "CORRUPT"),
    "truncated DICOM": (lambda: dicom(PIXELS)[:-500], "CORRUPT"),
    "JPEG of another height": (lying_jpeg, "CORRUPT"),
    "PNG with a wrong check sum": (lambda: saved("PNG")[:-20] + b"\0" * 8 + saved("PNG")[-12:], "CORRUPT"),
    "DICOM of several frames": (lambda: dicom(PIXELS, NumberOfFrames=3), "FORMAT_UNSUPPORTED"),
    "DICOM in colour": (lambda: dicom(PIXELS, SamplesPerPixel=3), "FORMAT_UNSUPPORTED"),
    "DICOM without pixel data": (lambda: dicom(PIXELS, PixelData=None), "CORRUPT"),
    "DICOM without image": (lambda: dicom(PIXELS, PixelData=None, Rows=None), "FORMAT_UNSUPPORTED"),
    "DICOM of more rows than pixels": (lambda: dicom(PIXELS, Rows=6000), "CORRUPT"),
    "DICOM of more bits than room": (lambda: dicom(PIXELS, BitsStored=12), "CORRUPT"),
    "DICOM with an element beyond its end": (
        lambda: dicom(PIXELS).replace(b"PN\x0e\0Example", b"PN\xff\xffExample"),
        "FORMAT_UNSUPPORTED",
    ),
    "DICOM that says it is RLE": (lambda: dicom(PIXELS).replace(b"10008.1.2.1\0", b"10008.1.2.5\0"), "CORRUPT"),
    "DICOM that says it is anything": (
        lambda: dicom(PIXELS).replace(b"1.2.840.10008.1.2.1\0", b"Example^Secret^Name\0"),
        "FORMAT_UNSUPPORTED",
    ),
    "DICOM with values that are none": (
        lambda: dicom(WORDS, RescaleSlope="1e308", RescaleIntercept="0"),
        "CORRUPT",
    ),
    "DICOM with a tile for each pixel": (tiles_of_one_pixel, "CORRUPT"),
    "text": (lambda: b"There is a small right pleural effusion.", "FORMAT_UNSUPPORTED"),
    "nothing": (lambda: b"", "EMPTY"),
}
"""What is to be refused, and the end of its code."""
