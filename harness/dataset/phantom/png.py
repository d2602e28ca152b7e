"""Smallest possible PNG encoder: 8-bit grey, no filter, standard library only, the same bytes everywhere."""

import struct
import zlib

import numpy as np
import numpy.typing as npt

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def encode_png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Encode a grey image (H, W) of dtype uint8.

    Raises:
        ValueError: the array is not two-dimensional uint8, or is empty.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 2 or pixels.size == 0:
        raise ValueError(f"expected a non-empty (H, W) uint8 image, got {pixels.dtype} {pixels.shape}")
    height, width = pixels.shape
    rows = np.zeros((height, width + 1), dtype=np.uint8)  # a leading 0 per row: filter type "none"
    rows[:, 1:] = pixels
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    # zlib's strategy and level are fixed: at level 0 the bytes do not even depend on the zlib build
    return (
        _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows.tobytes(), 0)) + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
