"""The chunks of a PNG file, walked without decoding: decoders are only handed what was checked."""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from wronglung.errors import ImageCorrupt, ImageFormatUnsupported

_SIGNATURE_BYTES = 8
_MOST_CHUNKS = 100_000
"""48 MiB in chunks of 512 bytes; walking through millions of empty ones would be an attack."""


class PngHeader(NamedTuple):
    """What can be known of a PNG file without decoding it."""

    width: int
    height: int
    exif: bytes
    """The content of its eXIf chunk, or empty."""


def read_header(data: bytes, *, verify: bool = False) -> PngHeader:
    """Walk over the chunks from IHDR to IEND; with `verify`, compare their check sums.

    Raises:
        ImageCorrupt: the file is cut off, a check sum is wrong, or it does not begin with a header.
        ImageFormatUnsupported: it is animated.
    """
    width = height = 0
    exif = b""
    for number, (kind, start, length) in enumerate(_chunks(data)):
        if (number == 0) != (kind == b"IHDR"):
            raise ImageCorrupt("the PNG image does not begin with its one header", field="image")
        if kind == b"IHDR":
            width, height = _size(data, start, length)
        elif kind == b"eXIf":
            exif = data[start : start + length]
        elif kind == b"acTL":
            raise ImageFormatUnsupported("the PNG image is animated: send a single frame", field="image")
        if verify:
            _verify(data, start, length)
    return PngHeader(width, height, exif)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start of the content and its length, of each chunk."""
    position = _SIGNATURE_BYTES
    for _ in range(_MOST_CHUNKS):
        if len(data) - position < 12:
            raise ImageCorrupt("the PNG image is cut off: send the whole file", field="image")
        length, kind = struct.unpack_from(">I4s", data, position)
        if length > len(data) - position - 12:
            raise ImageCorrupt("the PNG image is cut off: send the whole file", field="image")
        yield kind, position + 8, length
        if kind == b"IEND":
            return
        position += 12 + length
    raise ImageFormatUnsupported(f"the PNG image has more than {_MOST_CHUNKS} chunks: write it anew", field="image")


def _size(data: bytes, start: int, length: int) -> tuple[int, int]:
    width, height = struct.unpack_from(">II", data, start) if length == 13 else (0, 0)
    if not (width and height):
        raise ImageCorrupt(f"the PNG image says that it has {width} x {height} pixels", field="image")
    return width, height


def _verify(data: bytes, start: int, length: int) -> None:
    content = memoryview(data)[start - 4 : start + length]
    if zlib.crc32(content) != struct.unpack_from(">I", data, start + length)[0]:
        raise ImageCorrupt("the PNG image is damaged: the check sum of a chunk is wrong", field="image")
