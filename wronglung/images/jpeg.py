"""The header of a JPEG or JPEG-LS stream, read without a decoder: decoders are only handed what was checked."""

import re
import struct
from typing import NamedTuple

from wronglung.errors import ImageCorrupt, ImageFormatUnsupported

_MOST_SEGMENTS = 4096
"""A colour profile and metadata take up some hundred; walking through millions would be an attack."""
_MOST_SCANS = 100
"""Progressive files have some ten. A decoder walks over the whole image for each, and each takes but 14 bytes."""
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_MARKER = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")
"""A marker that ends a scan: not one that restarts it, nor the stuffing of JPEG (0x00) or JPEG-LS (below 0x80)."""
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_NO_FRAME = frozenset({0xC4, 0xC8, 0xCC})
_FRAMES = (frozenset(range(0xC0, 0xD0)) - _NO_FRAME) | {0xF7}


class JpegHeader(NamedTuple):
    """What a start-of-frame segment says."""

    process: int
    """Low byte of its marker: 0xC0 baseline, 0xC1 extended, 0xC2 progressive, 0xC3 lossless, 0xF7 JPEG-LS …"""
    bits: int
    """Precision of a sample."""
    width: int
    height: int
    components: int


def read_header(data: bytes, *, verify: bool = False) -> JpegHeader:
    """Walk over the segments up to the first scan; with `verify`, also over the scans, as is due before decoding.

    Raises:
        ImageCorrupt: there is no scan, no frame or more than one, or a segment reaches beyond the end.
        ImageFormatUnsupported: there are far more scans than any image needs.
    """
    header: JpegHeader | None = None
    position = 2
    for _ in range(_MOST_SEGMENTS):
        marker, position = _next_marker(data, position)
        if marker in _WITHOUT_LENGTH:
            continue
        length = _unpack(">H", data, position)[0]
        if marker in _FRAMES:
            if header is not None:
                raise ImageCorrupt("the JPEG image has more than one frame header", field="image")
            header = JpegHeader(marker, *_frame(data, position + 2))
        if marker in {_START_OF_SCAN, _END_OF_IMAGE}:
            break
        position += length
    if header is None or marker != _START_OF_SCAN:
        raise ImageCorrupt("the JPEG image has no frame header or no scan: send the whole file", field="image")
    if verify:
        _check_scans(data, position)
    return header


def _check_scans(data: bytes, position: int) -> None:
    """Walk from the first scan, whose header is at `position`, to the end of the image or of what there is of it."""
    scans, position = 1, position + _unpack(">H", data, position)[0]
    for _ in range(_MOST_SEGMENTS):
        found = _MARKER.search(data, position)
        if found is None or found[0][1] == _END_OF_IMAGE:
            return
        scans, position = scans + (found[0][1] == _START_OF_SCAN), found.end()
        if scans > _MOST_SCANS:
            break
        if found[0][1] not in _WITHOUT_LENGTH:
            position += _unpack(">H", data, position)[0]
    message = f"the JPEG image has more than {_MOST_SCANS} scans, or far too many segments: save it anew"
    raise ImageFormatUnsupported(message, field="image")


def _next_marker(data: bytes, position: int) -> tuple[int, int]:
    lead, marker = _unpack("BB", data, position)
    if lead != 0xFF:
        raise ImageCorrupt(f"the JPEG image has no marker at byte {position}, where one must be", field="image")
    if marker == 0xFF:  # a fill byte; counted as a segment
        return 0x01, position + 1
    return marker, position + 2


def _frame(data: bytes, position: int) -> tuple[int, int, int, int]:
    bits, height, width, components = _unpack(">BHHB", data, position)
    if not (width and height):
        raise ImageCorrupt(f"the JPEG image says that it has {width} x {height} pixels", field="image")
    return bits, width, height, components


def _unpack(layout: str, data: bytes, position: int) -> tuple[int, ...]:
    try:
        return struct.unpack_from(layout, data, position)
    except struct.error as error:
        raise ImageCorrupt("the JPEG image is cut off in its header: send the whole file", field="image") from error
