"""Masks: which part of a box belongs to what is outlined, in COCO's compressed run lengths.

The runs count pixels column by column, from the top of the leftmost column, outside first and then in turn. Written as
text, each is the difference to the run two before it (the first three are themselves), five bits a character, the
lowest first: 0x20 says that another character follows, 0x10 of the last is the sign, and 48 is added.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Bitmap = npt.NDArray[np.bool_]
Rectangles = npt.NDArray[np.float64]

_MORE, _SIGN, _BITS, _FIRST = 0x20, 0x10, 5, 48
_LONGEST = 7  # characters of one run: 35 bits, more than any image has pixels


class MaskError(ValueError):
    """Run lengths cannot be read. The message says what is wrong with them."""


@dataclass(frozen=True, slots=True)
class BoxMask:
    """A lattice of `rows` × `cols` equal cells laid over a box, and which of them belong to what is outlined.

    A box that is cut to its mask has one cell for each of its pixels. The mask moves and stretches with its box.
    """

    rows: int
    cols: int
    counts: str
    """Compressed run lengths; they add up to rows · cols."""

    def mirrored(self) -> "BoxMask":
        """The mask flipped left to right."""
        return encode(decode(self)[:, ::-1])


def run_lengths(counts: str) -> list[int]:
    """The runs of compressed text.

    Raises:
        MaskError: a character that is none of the 64, a run below 0, or a text that breaks off within a run.
    """
    runs: list[int] = []
    value = place = 0
    for character in counts:
        bits = ord(character) - _FIRST
        if not 0 <= bits < 64 or place == _LONGEST:
            raise MaskError(f"run {len(runs) + 1} of the mask is no compressed run length")
        value |= (bits & 0x1F) << (_BITS * place)
        place += 1
        if bits & _MORE:
            continue
        if bits & _SIGN:
            value -= 1 << (_BITS * place)
        if len(runs) > 2:
            value += runs[-2]
        if value < 0:
            raise MaskError(f"run {len(runs) + 1} of the mask is below 0")
        runs.append(value)
        value = place = 0
    if place:
        raise MaskError("the mask breaks off within a run: the text was cut")
    return runs


def compressed(runs: list[int]) -> str:
    """The text of runs; `run_lengths` reads it back."""
    characters: list[str] = []
    for i, run in enumerate(runs):
        value = run - runs[i - 2] if i > 2 else run
        more = True
        while more:
            bits = value & 0x1F
            value >>= _BITS
            more = value != (-1 if bits & _SIGN else 0)
            characters.append(chr(bits + (_MORE if more else 0) + _FIRST))
    return "".join(characters)


def decode(mask: BoxMask) -> Bitmap:
    """(rows, cols): the mask drawn.

    Raises:
        MaskError: the runs cannot be read, or do not add up to rows · cols.
    """
    runs = run_lengths(mask.counts)
    if sum(runs) != mask.rows * mask.cols:
        raise MaskError(f"the runs of the mask add up to {sum(runs)} pixels, {mask.rows} x {mask.cols} are wanted")
    inside = np.arange(len(runs)) % 2 == 1
    return np.repeat(inside, runs).reshape(mask.cols, mask.rows).T


def encode(bitmap: Bitmap) -> BoxMask:
    """A drawn mask (rows, cols) as run lengths."""
    rows, cols = bitmap.shape
    flat = bitmap.T.ravel()
    borders = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs = np.diff(np.concatenate([[0], borders, [flat.size]])).tolist()
    return BoxMask(rows, cols, compressed([0, *runs] if flat.size and flat[0] else runs))


def cut_to_content(bitmap: Bitmap) -> tuple[tuple[int, int, int, int], BoxMask] | None:
    """The smallest half-open rectangle [x0, y0, x1, y1] that holds all of a drawn mask, and the mask within it; None
    if nothing is drawn."""
    columns, rows = np.flatnonzero(bitmap.any(axis=0)), np.flatnonzero(bitmap.any(axis=1))
    if not len(columns):
        return None
    x0, x1, y0, y1 = int(columns[0]), int(columns[-1]) + 1, int(rows[0]), int(rows[-1]) + 1
    return (x0, y0, x1, y1), encode(bitmap[y0:y1, x0:x1])


def bitmap_rectangles(bitmap: Bitmap) -> Rectangles:
    """(B, 4): disjoint half-open rectangles [x0, y0, x1, y1] in cells that together are the drawn mask, exactly.

    One for each vertical run of a column; neighbouring columns with the same runs share them.
    """
    columns = bitmap.T
    differs = np.ones(len(columns), dtype=bool)
    differs[1:] = (columns[1:] != columns[:-1]).any(axis=1)
    starts = np.flatnonzero(differs)
    ends = np.append(starts[1:], len(columns))
    padded = np.zeros((len(starts), columns.shape[1] + 2), dtype=np.int8)
    padded[:, 1:-1] = columns[starts]
    steps = np.diff(padded, axis=1)
    band, y0 = np.nonzero(steps == 1)
    _, y1 = np.nonzero(steps == -1)
    return np.stack([starts[band], y0, ends[band], y1], axis=1).astype(np.float64)


@lru_cache(maxsize=512)
def rectangles(mask: BoxMask) -> Rectangles:
    """`bitmap_rectangles` of a mask, as shares of its box: (B, 4) in [0, 1]. Kept for the masks used last, as one is
    asked for by every arm of a sentence. Read-only."""
    found: Rectangles = bitmap_rectangles(decode(mask)) / np.array([mask.cols, mask.rows, mask.cols, mask.rows])
    found.flags.writeable = False
    return found
