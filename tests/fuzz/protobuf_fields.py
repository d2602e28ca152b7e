"""Protobuf messages with odd fields: numbers, wire types, lengths and varints that lie, in inner messages too."""

import random
import struct
from dataclasses import dataclass, replace

from tests.fuzz import mutations

_VARINTS = (*mutations.ODD_LONGS, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
_FLOATS = (0.0, -0.0, 1.0, float("nan"), float("inf"), float("-inf"), 1e-45, 3.4e38, -1.0)
_TEXTS = (
    b"",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    "ı\N{COMBINING ACUTE ACCENT}\0".encode(),
    b"a" * 2001,
    b"\n\r\x1b[31m",
    b" " * 300,
    b"{" * 400,
)


@dataclass(frozen=True)
class Field:
    """One field: number, wire type, and its value without the length; a length that is given is a lie."""

    number: int
    wire_type: int
    value: bytes
    length: int | None = None

    def to_bytes(self) -> bytes:
        key = varint(self.number << 3 | self.wire_type)
        if self.wire_type != 2:
            return key + self.value
        return key + varint(len(self.value) if self.length is None else self.length) + self.value


def varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    coded = bytearray()
    while number > 0x7F:
        coded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*coded, number])


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Change fields of what may be a message, or of a message in it."""
    fields = read(data)
    if fields is None or rng.randrange(8) == 0:
        return mutations.anywhere(data, rng)
    return b"".join(each.to_bytes() for each in mutations.parts(fields, lambda field: _change(field, rng), rng))


def read(data: bytes) -> list[Field] | None:
    """The fields of a message; None if these bytes are none."""
    fields: list[Field] = []
    position = 0
    while position < len(data):
        key, position = _varint_at(data, position)
        size = {0: None, 1: 8, 2: None, 5: 4}.get(key & 7, -1)
        start = position
        if key & 7 == 0:
            _, position = _varint_at(data, position)
        elif key & 7 == 2:
            length, start = _varint_at(data, position)
            position = start + length
        else:
            position += size or 0
        if size == -1 or position > len(data) or not key >> 3 or len(fields) > 5000:
            return None
        fields.append(Field(key >> 3, key & 7, data[start:position]))
    return fields


def _varint_at(data: bytes, position: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            return 0, len(data) + 1
        number |= (data[position] & 0x7F) << shift
        position += 1
        if data[position - 1] < 0x80:
            return number, position
    return 0, len(data) + 1


def _change(field: Field, rng: random.Random) -> Field:
    if field.wire_type == 2 and rng.random() < 0.7 and read(field.value):
        return replace(field, value=mutate(field.value, rng))
    match rng.randrange(9):
        case 0:
            return replace(field, number=rng.choice((*range(1, 17), 0, 536870911)))
        case 1:
            return replace(field, wire_type=rng.randrange(8))
        case 2 if field.wire_type == 2:
            return replace(field, length=rng.choice(_VARINTS))
        case _ if field.wire_type == 0:
            return replace(field, value=varint(rng.choice(_VARINTS)))
        case _ if field.wire_type == 5:
            return replace(field, value=struct.pack("<f", rng.choice(_FLOATS)))
        case 3:
            return replace(field, value=rng.choice(_TEXTS))
        case 4 if len(field.value) % 4 == 0:
            return replace(field, value=_one_float(field.value, rng))
        case _:
            return replace(field, value=mutations.content(field.value, rng))


def _one_float(values: bytes, rng: random.Random) -> bytes:
    """A packed list of floats, one of them odd."""
    at = 4 * rng.randrange(max(1, len(values) // 4))
    return values[:at] + struct.pack("<f", rng.choice(_FLOATS)) + values[at + 4 :]
