"""PNG with wrong content in right chunks: lengths and check sums are put right after the change, most of the time."""

import random
import struct
import zlib
from dataclasses import dataclass, replace

from tests.fuzz import mutations

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KINDS = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"eXIf", b"iCCP", b"zTXt", b"iTXt", b"tEXt", b"gAMA", b"acTL")


@dataclass(frozen=True)
class Chunk:
    """One chunk; a length or check sum that is given is a lie."""

    kind: bytes
    content: bytes
    length: int | None = None
    check_sum: int | None = None

    def to_bytes(self) -> bytes:
        length = len(self.content) if self.length is None else self.length
        check_sum = zlib.crc32(self.kind + self.content) if self.check_sum is None else self.check_sum
        return struct.pack(">I", length) + self.kind + self.content + struct.pack(">I", check_sum)


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Change chunks of what may be a PNG file."""
    chunks = _read(data)
    return _SIGNATURE + b"".join(each.to_bytes() for each in mutations.parts(chunks, lambda c: _change(c, rng), rng))


def _read(data: bytes) -> list[Chunk]:
    chunks, position = [], len(_SIGNATURE)
    while len(data) - position >= 12 and len(chunks) < 1000:
        length, kind = struct.unpack_from(">I4s", data, position)
        chunks.append(Chunk(kind, data[position + 8 : position + 8 + length]))
        position += 12 + length
    return chunks


def _change(chunk: Chunk, rng: random.Random) -> Chunk:
    match rng.randrange(8):
        case 0:
            return replace(chunk, length=rng.choice(mutations.ODD_LONGS))
        case 1:
            return replace(chunk, check_sum=rng.getrandbits(32))
        case 2:
            return replace(chunk, kind=rng.choice(_KINDS))
        case 3 | 4 if chunk.kind == b"IDAT":
            return replace(chunk, content=_recompressed(chunk.content, rng))
        case _ if chunk.kind == b"IHDR" and len(chunk.content) == 13:
            return replace(chunk, content=_header(chunk.content, rng))
        case _:
            return replace(chunk, content=mutations.content(chunk.content, rng))


def _header(content: bytes, rng: random.Random) -> bytes:
    """Width, height, bits, colour, compression, filter, interlace: one of them is another."""
    fields = list(struct.unpack(">IIBBBBB", content))
    field = rng.randrange(7)
    fields[field] = (
        rng.choice((*mutations.ODD_SHORTS, 1000, 10_000)) if field < 2 else rng.choice((0, 1, 2, 3, 4, 6, 8, 16))
    )
    return struct.pack(">IIBBBBB", *fields)


def _recompressed(content: bytes, rng: random.Random) -> bytes:
    """Other pixels, or far more or fewer of them, in an intact stream."""
    reader = zlib.decompressobj()
    try:
        pixels = reader.decompress(content, 1 << 20)
    except zlib.error:
        return content
    return zlib.compress(mutations.content(pixels, rng) * rng.choice((1, 1, 1, 20)))
