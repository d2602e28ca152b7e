"""The border of a mask as an SVG path, coarse enough to be small in a page."""

from collections.abc import Iterator

import numpy as np

from harness.mask import Bitmap, BoxMask, decode
from wronglung.geometry import Rect

FINEST = 128
"""A mask is drawn on at most so many steps along each side of its box."""


def contour(mask: BoxMask, box: Rect) -> str:
    """Path data of the mask's border in the pixels of `box`, as horizontal and vertical strokes."""
    bitmap = coarse(decode(mask), FINEST)
    rows, cols = bitmap.shape
    x0, y0, x1, y1 = box
    wide, high = (x1 - x0) / cols, (y1 - y0) / rows
    across = (f"M{x0 + a * wide:.1f} {y0 + i * high:.1f}h{(b - a) * wide:.1f}" for i, a, b in _borders(bitmap))
    down = (f"M{x0 + i * wide:.1f} {y0 + a * high:.1f}v{(b - a) * high:.1f}" for i, a, b in _borders(bitmap.T))
    return "".join([*across, *down])


def coarse(bitmap: Bitmap, most: int) -> Bitmap:
    """A drawing on at most `most` rows and columns: a cell belongs if more than half of its pixels do."""
    row_edges, col_edges = (np.arange(min(size, most)) * size // min(size, most) for size in bitmap.shape)
    inside = np.add.reduceat(np.add.reduceat(bitmap.astype(np.int64), row_edges, axis=0), col_edges, axis=1)
    heights, widths = np.diff(row_edges, append=bitmap.shape[0]), np.diff(col_edges, append=bitmap.shape[1])
    return np.asarray(2 * inside > np.outer(heights, widths))


def _borders(bitmap: Bitmap) -> Iterator[tuple[int, int, int]]:
    """Line i above row i, and from which column to which the drawing begins or ends there."""
    padded = np.pad(bitmap, ((1, 1), (0, 0)))
    border = np.pad(padded[1:] != padded[:-1], ((0, 0), (1, 1))).astype(np.int8)
    steps = np.diff(border, axis=1)
    lines, starts = np.nonzero(steps == 1)
    _, ends = np.nonzero(steps == -1)
    yield from zip(lines.tolist(), starts.tolist(), ends.tolist(), strict=True)
