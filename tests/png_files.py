"""PNG files made chunk by chunk: flavours that Pillow does not write, and files that lie."""

import struct
import zlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, COLOUR, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 4, 6
CHANNELS = {GREY: 1, COLOUR: 3, GREY_ALPHA: 2, COLOUR_ALPHA: 4}


def chunk(kind: bytes, content: bytes) -> bytes:
    """One chunk with its length and check sum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(
    samples: npt.NDArray[np.integer],
    bits: int,
    kind: int,
    *,
    before: Iterable[bytes] = (),
    after: Iterable[bytes] = (),
) -> bytes:
    """A file of H × W (× channels) samples of 1, 2, 4, 8 or 16 bits, with further chunks around its pixels."""
    height, width = samples.shape[:2]
    flat = samples.reshape(height, -1)
    if bits == 16:
        lines = [row.astype(">u2").tobytes() for row in flat]
    else:
        digits = (flat[..., None] >> np.arange(bits)[::-1]) & 1
        lines = [np.packbits(row).tobytes() for row in digits.reshape(height, -1).astype(np.uint8)]
    pixels = zlib.compress(b"".join(b"\0" + line for line in lines))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0))
    return b"".join([SIGNATURE, header, *before, chunk(b"IDAT", pixels), *after, chunk(b"IEND", b"")])


def bomb(width: int, height: int) -> bytes:
    """A small file that says that it is large."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, GREY, 0, 0, 0))
    return SIGNATURE + header + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
