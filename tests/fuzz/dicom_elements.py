"""DICOM with lies: lengths, types and values of elements, sequences in sequences, fragments of pixels."""

import random
import struct
from dataclasses import dataclass, replace

from tests.fuzz import jpeg_segments, mutations

_PREAMBLE = 128 + 4
_LONG_TYPES = frozenset({b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UC", b"UN", b"UR", b"UT", b"SV", b"UV"})
_TYPES = (
    *sorted(_LONG_TYPES),
    b"US",
    b"SS",
    b"UL",
    b"IS",
    b"DS",
    b"CS",
    b"UI",
    b"PN",
    b"LO",
    b"AT",
    b"FD",
    b"ZZ",
    b"\0\0",
)
_SYNTAXES = (
    b"1.2.840.10008.1.2",
    b"1.2.840.10008.1.2.1",
    b"1.2.840.10008.1.2.5",
    b"1.2.840.10008.1.2.4.50",
    b"1.2.840.10008.1.2.4.70",
)
_NUMBERS = (
    b"0",
    b"-1",
    b"1e308",
    b"-1e308",
    b"nan",
    b"inf",
    b"1e-320",
    b"1\\2",
    b"",
    b" ",
    b"9" * 400,
    b"x",
    b"\xff\xfe",
    b"65536",
)
_IMAGE_TAGS = (2, 4, 8, 0x10, 0x11, 0x100, 0x101, 0x102, 0x103, 0x120, 0x121)
_SHOWING_TAGS = (0x1050, 0x1051, 0x1052, 0x1053, 0x1056, 0x3000, 0x3002, 0x3006, 0x3010)
_TAGS = (*((0x28, each) for each in (*_IMAGE_TAGS, *_SHOWING_TAGS)), (0x8, 0x5), (0x7FE0, 0x8), (0x7FE0, 0x10))
_ITEM, _END_OF_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0"


@dataclass(frozen=True)
class Element:
    """One element in explicit little endian; a length that is given is a lie."""

    tag: tuple[int, int]
    kind: bytes
    value: bytes
    length: int | None = None

    def to_bytes(self) -> bytes:
        length = len(self.value) if self.length is None else self.length
        head = struct.pack("<HH", *self.tag) + self.kind
        if self.kind in _LONG_TYPES:
            return head + struct.pack("<HI", 0, length) + self.value
        return head + struct.pack("<H", length & 0xFFFF) + self.value


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Change elements of what may be a DICOM file with explicit types."""
    changed = mutations.parts(_read(data), lambda element: _change(element, rng), rng)
    return data[:128].ljust(128, b"\0") + b"DICM" + b"".join(each.to_bytes() for each in changed)


def _read(data: bytes) -> list[Element]:
    elements: list[Element] = []
    position = _PREAMBLE
    while position + 8 <= len(data) and len(elements) < 1000:
        group, number, kind, length = struct.unpack_from("<HH2sH", data, position)
        position += 8
        if kind in _LONG_TYPES:
            if position + 4 > len(data):
                break
            length = struct.unpack_from("<I", data, position)[0]
            position += 4
        known = length != 0xFFFFFFFF
        end = position + length if known else len(data)
        elements.append(Element((group, number), kind, data[position:end], None if known else length))
        position = end
    return elements


def _change(element: Element, rng: random.Random) -> Element:
    match rng.randrange(10):
        case 0:
            return replace(element, length=rng.choice(mutations.ODD_LONGS))
        case 1:
            return replace(element, kind=rng.choice(_TYPES))
        case 2:
            return replace(element, tag=rng.choice(_TAGS))
        case 3:
            return Element(rng.choice(_TAGS), b"SQ", _sequence(element.to_bytes(), rng), rng.choice((None, 0xFFFFFFFF)))
        case 4 if element.tag == (0x2, 0x10):
            return replace(element, value=rng.choice(_SYNTAXES))
        case _ if element.tag == (0x7FE0, 0x10):
            return replace(element, value=_pixels(element.value, rng))
        case 5 | 6 if len(element.value) == 2:
            return replace(element, value=struct.pack("<H", rng.choice(mutations.ODD_SHORTS)))
        case 5 | 6 | 7:
            return replace(element, value=rng.choice(_NUMBERS))
        case _:
            return replace(element, value=mutations.content(element.value, rng))


def _sequence(inner: bytes, rng: random.Random) -> bytes:
    """An item around an element, in another, in another …"""
    for _ in range(rng.choice((1, 2, 10, 200))):
        length = rng.choice((len(inner), 0xFFFFFFFF, 0, 1))
        inner = _ITEM + struct.pack("<I", length) + inner + rng.choice((b"", _END_OF_ITEM + b"\0\0\0\0"))
        if len(inner) < 10_000:
            inner = struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, rng.choice((len(inner), 0xFFFFFFFF))) + inner
    return inner + rng.choice((b"", _END + b"\0\0\0\0"))


def _pixels(value: bytes, rng: random.Random) -> bytes:
    """Native pixels, or the fragments of a compressed stream, with the stream in one of them changed."""
    start = value.find(_ITEM, 4)
    if not value.startswith(_ITEM) or start == -1 or start + 8 > len(value):
        return mutations.content(value, rng)
    (length,) = struct.unpack_from("<I", value, start + 4)
    stream = value[start + 8 : start + 8 + length]
    changed = jpeg_segments.mutate(stream, rng) if stream[:2] == b"\xff\xd8" else mutations.content(stream, rng)
    said = rng.choice((len(changed), len(changed), len(changed), *mutations.ODD_LONGS[-3:]))
    fragment = _ITEM + struct.pack("<I", said) + changed
    return value[:start] + fragment * rng.choice((1, 1, 1, 2, 500)) + value[start + 8 + length :]
