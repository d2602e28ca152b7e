"""What fuzzing does to bytes: anywhere, and inside the parts of a file, which are then put together again."""

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

Mutator = Callable[[bytes, random.Random], bytes]
"""Valid or damaged bytes → other bytes; the same for the same state of the generator."""

Part = TypeVar("Part")

ODD_NUMBERS = (0, 1, 2, 3, 7, 8, 9, 12, 15, 16, 17, 31, 32, 33, 64, 127, 128, 255)
ODD_SHORTS = (*ODD_NUMBERS, 256, 257, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF)
ODD_LONGS = (*ODD_SHORTS, 0x10000, 0xFFFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)


def anywhere(data: bytes, rng: random.Random) -> bytes:
    """Overwrite, insert, delete, repeat, swap or cut off, most often near the beginning."""
    damaged = bytearray(data or b"\0")
    for _ in range(rng.choice((1, 1, 1, 2, 4, 8))):
        at = rng.randrange(min(len(damaged), rng.choice((64, 600, len(damaged)))) or 1)
        piece = bytes(damaged[at : at + rng.choice((1, 2, 4, 16, 200))])
        match rng.randrange(8):
            case 0:
                damaged[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                damaged[at : at + 1] = bytes([damaged[at] ^ 1 << rng.randrange(8)]) if at < len(damaged) else b"\0"
            case 2:
                damaged[at : at + 2] = rng.choice(ODD_SHORTS).to_bytes(2, rng.choice(("little", "big")))
            case 3:
                damaged[at : at + 4] = rng.choice(ODD_LONGS).to_bytes(4, rng.choice(("little", "big")))
            case 4:
                damaged[at:at] = rng.randbytes(rng.randint(1, 8))
            case 5:
                damaged[at:at] = piece * rng.choice((1, 1, 2, 50))
            case 6:
                del damaged[at : at + len(piece)]
            case _:
                del damaged[rng.randrange(len(damaged) + 1) :]
    return bytes(damaged)


def content(data: bytes, rng: random.Random) -> bytes:
    """Another content of a part: damaged anywhere, empty, doubled, or another length of the same."""
    match rng.randrange(6):
        case 0:
            return b""
        case 1:
            return data + data
        case 2:
            return data[: rng.randint(0, len(data))]
        case _:
            return anywhere(data, rng)


def parts(parts: Sequence[Part], change: Callable[[Part], Part], rng: random.Random) -> list[Part]:
    """The parts of a file with some of them changed, dropped, repeated or exchanged."""
    changed = list(parts)
    for _ in range(rng.choice((1, 1, 2, 3))):
        if not changed:
            break
        at = rng.randrange(len(changed))
        match rng.randrange(8):
            case 0:
                del changed[at]
            case 1:
                changed[at:at] = [changed[at]] * rng.choice((1, 2, 30))
            case 2:
                other = rng.randrange(len(changed))
                changed[at], changed[other] = changed[other], changed[at]
            case _:
                changed[at] = change(changed[at])
    return changed
