"""JPEG with wrong content in right segments: frames, tables and scans that lie, their lengths mostly put right."""

import random
import struct
from dataclasses import dataclass, replace

from tests.fuzz import mutations

_MARKERS = (
    0xC0,
    0xC1,
    0xC2,
    0xC3,
    0xC4,
    0xC9,
    0xCC,
    0xD0,
    0xD8,
    0xD9,
    0xDA,
    0xDB,
    0xDD,
    0xE0,
    0xE1,
    0xE2,
    0xEE,
    0xF7,
    0xF8,
    0xFE,
    0x01,
)
_FRAMES = frozenset({*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0), 0xF7})


@dataclass(frozen=True)
class Segment:
    """One segment, and the coded data that follows it; a length that is given is a lie."""

    marker: int
    content: bytes
    coded: bytes = b""
    length: int | None = None

    def to_bytes(self) -> bytes:
        length = len(self.content) + 2 if self.length is None else self.length
        return b"\xff" + bytes([self.marker]) + struct.pack(">H", min(length, 0xFFFF)) + self.content + self.coded


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Change segments of what may be a JPEG or JPEG-LS stream."""
    changed = mutations.parts(_read(data), lambda segment: _change(segment, rng), rng)
    ending = rng.choice((b"\xff\xd9", b"\xff\xd9", b"\xff\xd9", b"", b"\xff"))
    return b"\xff\xd8" + b"".join(each.to_bytes() for each in changed) + ending


def _read(data: bytes) -> list[Segment]:
    segments: list[Segment] = []
    position = 2
    while position + 4 <= len(data) and len(segments) < 1000:
        marker, length = data[position + 1], struct.unpack_from(">H", data, position + 2)[0]
        if data[position] != 0xFF or marker == 0xD9:
            break
        content_end = position + 2 + max(2, length)
        position = _end_of_coded(data, content_end) if marker == 0xDA else content_end
        start = content_end - max(2, length) + 2
        segments.append(Segment(marker, data[start:content_end], data[content_end:position]))
    return segments


def _end_of_coded(data: bytes, position: int) -> int:
    """Where the next marker stands that neither restarts a scan nor is stuffing."""
    while (position := data.find(b"\xff", position)) != -1 and position + 1 < len(data):
        if data[position + 1] >= 0x80 and not 0xD0 <= data[position + 1] <= 0xD7:
            return position
        position += 1
    return len(data)


def _change(segment: Segment, rng: random.Random) -> Segment:
    match rng.randrange(8):
        case 0:
            return replace(segment, length=rng.choice(mutations.ODD_SHORTS))
        case 1:
            return replace(segment, marker=rng.choice(_MARKERS))
        case 2 | 3 if segment.coded:
            return replace(segment, coded=mutations.content(segment.coded, rng))
        case _ if segment.marker in _FRAMES and len(segment.content) >= 6:
            return replace(segment, content=_frame(segment.content, rng))
        case _:
            return replace(segment, content=mutations.content(segment.content, rng))


def _frame(content: bytes, rng: random.Random) -> bytes:
    """Precision, height, width, number of components, and per component its id, sampling and table."""
    frame = bytearray(content)
    match rng.randrange(4):
        case 0:
            frame[0] = rng.choice((0, 2, 8, 12, 16))
        case 1:
            struct.pack_into(">H", frame, rng.choice((1, 3)), rng.choice((*mutations.ODD_SHORTS, 10_000)))
        case 2:
            frame[5] = rng.choice((0, 1, 2, 3, 4, 255))
        case _:
            frame[rng.randrange(6, len(frame)) if len(frame) > 6 else 5] = rng.randrange(256)
    return bytes(frame)
