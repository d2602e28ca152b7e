"""How much of each grid cell a set of rectangles covers: exact areas of a union, for many maps at once.

Rectangles are half-open and real-valued, ``[x0, x1) × [y0, y1)`` in frame pixels. A cell of the grid is the rectangle
between two neighbouring edges per axis, so one function serves cells of any size, whole pixels included.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from wronglung.geometry import Rect

Array = npt.NDArray[np.float64]
Boxes = Sequence[Sequence[float]] | Array

_NOTHING = np.array([0.0, 0.0, -1.0, -1.0])
_BATCH = 256  # maps per step: the occupancy grid has (2 × boxes)² entries a map
_FEW = 64  # boxes of one map; more come from masks, and are computed map by map


def even_edges(size: int, cells: int) -> Array:
    """(cells + 1,): the edges that cut `size` frame pixels into `cells` equal parts."""
    return np.arange(cells + 1) * size / cells


def pixel_edges(size: int, cells: int) -> Array:
    """(cells + 1,): whole pixels where nearest-neighbour upsampling (source ⌊i · cells / size⌋) changes cell."""
    return np.ceil(np.arange(cells + 1) * size / cells)


def pack(boxes: Sequence[Boxes]) -> Array:
    """(N, B, 4): box lists of unequal length side by side; a map's first box fills its free places, for a box twice
    in a union changes nothing, not even the rounding. A map without boxes gets ``[0, 0, -1, -1]``, which is empty
    whether maxima are inclusive or not.

    Raises:
        ValueError: a box has other than four finite coordinates.
    """
    packed = np.tile(_NOTHING, (len(boxes), max((len(each) for each in boxes), default=1) or 1, 1))
    for row, each in zip(packed, boxes, strict=True):
        if len(each):
            row[:] = _four_columns(each)[:1]
            row[: len(each)] = _four_columns(each)
    if not np.isfinite(packed).all():
        raise ValueError("a box has a coordinate that is not finite; leave out boxes that are unknown")
    return packed


def _four_columns(boxes: Boxes) -> Array:
    try:
        array = np.asarray(boxes, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"a box is [x0, y0, x1, y1], got {boxes!r}") from error
    if array.ndim != 2 or array.shape[1] != 4:
        raise ValueError(f"a box is [x0, y0, x1, y1], got {boxes!r}")
    return array


def clip(boxes_NB4: Array, rects_N4: Array) -> Array:
    """(N, B, 4): every box cut to its map's rectangle; a box outside it keeps no area."""
    low, high = rects_N4[:, None, :2], rects_N4[:, None, 2:]
    first = np.clip(boxes_NB4[..., :2], low, high)
    last = np.clip(boxes_NB4[..., 2:], low, high)
    return np.concatenate([first, last], axis=-1)


def rect_areas(rects_N4: Array, row_edges: Array, col_edges: Array) -> Array:
    """(N, R, C): the area of each cell that lies in the map's one rectangle, in frame pixels²."""
    rows = _overlap(rects_N4[:, 1, None], rects_N4[:, 3, None], row_edges)
    cols = _overlap(rects_N4[:, 0, None], rects_N4[:, 2, None], col_edges)
    return np.asarray(np.einsum("nir,njc->nrc", rows, cols))


def union_areas(boxes_NB4: Array, row_edges: Array, col_edges: Array) -> Array:
    """(N, R, C): the area of each cell that lies in the union of the map's boxes, in frame pixels².

    Exact by coordinate compression: the boxes' own edges cut the plane into rectangles that are wholly in or out. The
    many boxes of a mask are cut into disjoint ones and added up.
    """
    areas = np.zeros((len(boxes_NB4), len(row_edges) - 1, len(col_edges) - 1))
    own = _own_counts(boxes_NB4)
    few = np.flatnonzero(own <= _FEW)
    for start in range(0, len(few), _BATCH):
        batch = few[start : start + _BATCH]
        areas[batch] = _union_areas(boxes_NB4[batch, : own[batch].max()], row_edges, col_edges)
    for i in np.flatnonzero(own > _FEW):
        areas[i] = sum_areas(disjoint(boxes_NB4[i, : own[i]]), row_edges, col_edges)
    return areas


def _own_counts(boxes: Array) -> npt.NDArray[np.intp]:
    """(N,): how many boxes each map has before its first box fills the free places."""
    if boxes.shape[1] <= _FEW:
        return np.full(len(boxes), boxes.shape[1])
    differs = (boxes != boxes[:, :1]).any(axis=2)
    last = boxes.shape[1] - np.argmax(differs[:, ::-1], axis=1)
    return np.where(differs.any(axis=1), last, 1)


def sum_areas(boxes_B4: Array, row_edges: Array, col_edges: Array) -> Array:
    """(R, C): the area of each cell that lies in one map's boxes, which do not overlap."""
    rows = _overlap(boxes_B4[None, :, 1], boxes_B4[None, :, 3], row_edges)[0]
    cols = _overlap(boxes_B4[None, :, 0], boxes_B4[None, :, 2], col_edges)[0]
    return np.asarray(np.einsum("br,bc->rc", rows, cols))  # no matrix product: see _contract


def disjoint(boxes_B4: Array) -> Array:
    """(K, 4): boxes that do not overlap and together cover what these cover; those of one mask are so already."""
    some = boxes_B4[(boxes_B4[:, 0] < boxes_B4[:, 2]) & (boxes_B4[:, 1] < boxes_B4[:, 3])]
    boxes = some[np.lexsort((some[:, 1], some[:, 2], some[:, 0]))]
    return boxes if _stacked(boxes).all() else _pieces(boxes)


def _stacked(boxes: Array) -> npt.NDArray[np.bool_]:
    """Whether each box, in order of x0, x1 and y0, lies in the same strip as the next and above it, or in a strip
    before."""
    one, other = boxes[:-1], boxes[1:]
    same = (one[:, [0, 2]] == other[:, [0, 2]]).all(axis=1)
    return np.asarray(np.where(same, one[:, 3] <= other[:, 1], one[:, 2] <= other[:, 0]))


def _pieces(boxes: Array) -> Array:
    """The union of the boxes, cut at every x at which one begins or ends; in each strip a box keeps what those that
    begin above it leave."""
    edges = np.unique(boxes[:, [0, 2]])
    first, last = np.searchsorted(edges, boxes[:, 0]), np.searchsorted(edges, boxes[:, 2])
    box = np.repeat(np.arange(len(boxes)), last - first)
    strip = first[box] + np.arange(len(box)) - np.repeat(np.cumsum(last - first) - (last - first), last - first)
    order = np.lexsort((boxes[box, 1], strip))
    strip, top, bottom = strip[order], boxes[box[order], 1], boxes[box[order], 3]
    rank = np.arange(len(strip)) - np.searchsorted(strip, strip)
    reached = np.full((len(edges) - 1, rank.max() + 2), -np.inf)
    reached[strip, rank + 1] = bottom
    low = np.maximum(top, np.maximum.accumulate(reached, axis=1)[strip, rank])
    pieces = np.stack([edges[strip], low, edges[strip + 1], bottom], axis=1)
    return np.asarray(pieces[low < bottom])


def union_area(boxes_NB4: Array) -> Array:
    """(N,): the area of the union of each map's boxes, wherever they lie."""
    everywhere = np.array([-np.inf, np.inf])
    return union_areas(boxes_NB4, everywhere, everywhere)[:, 0, 0]


def _union_areas(boxes: Array, row_edges: Array, col_edges: Array) -> Array:
    xs = np.sort(boxes[..., [0, 2]].reshape(len(boxes), -1), axis=1)
    ys = np.sort(boxes[..., [1, 3]].reshape(len(boxes), -1), axis=1)
    inside = np.zeros((len(boxes), max(ys.shape[1] - 1, 0), max(xs.shape[1] - 1, 0)), dtype=bool)
    for x0, y0, x1, y1 in _columns(boxes):
        across = (x0 <= xs[:, :-1]) & (xs[:, 1:] <= x1)
        down = (y0 <= ys[:, :-1]) & (ys[:, 1:] <= y1)
        inside |= down[:, :, None] & across[:, None, :]
    rows = _overlap(ys[:, :-1], ys[:, 1:], row_edges)
    cols = _overlap(xs[:, :-1], xs[:, 1:], col_edges)
    by_row = _contract(rows, inside)
    return _contract(by_row.swapaxes(1, 2), cols)


def _contract(left: Array, right: npt.NDArray[np.bool_] | Array) -> Array:
    """(N, A, B): Σ_k left[:, k, a] · right[:, k, b], added in the order of k.

    A matrix product would group the terms by how many there are, and a map's last bits would depend on the maps that
    are scored with it.
    """
    total = np.zeros((len(left), left.shape[2], right.shape[2]))
    for k in range(left.shape[1]):
        total += left[:, k, :, None] * right[:, k, None, :]
    return total


def _columns(boxes: Array) -> Iterable[tuple[Array, Array, Array, Array]]:
    """The k-th box of every map, for each k: four arrays (N, 1)."""
    for k in range(boxes.shape[1]):
        x0, y0, x1, y1 = boxes[:, k, :, None].swapaxes(0, 1)
        yield x0, y0, x1, y1


def _overlap(low: Array, high: Array, edges: Array) -> Array:
    """(N, K, cells): how much of interval k of map n lies between each two neighbouring edges."""
    shared = np.minimum(high[..., None], edges[1:]) - np.maximum(low[..., None], edges[:-1])
    return np.asarray(np.maximum(shared, 0.0))


def whole_frame(count: int, frame_size: tuple[int, int]) -> Array:
    """(count, 4): the whole frame, once per map; `frame_size` is (height, width)."""
    height, width = frame_size
    return np.tile(np.array([0.0, 0.0, width, height]), (count, 1))


def domain_rects(domains: Sequence[Rect | None] | None, count: int, frame_size: tuple[int, int]) -> Array:
    """(count, 4): each map's image rectangle cut to the frame; None stands for the whole frame.

    Raises:
        ValueError: there are not `count` domains, or one is not four finite coordinates.
    """
    frame = whole_frame(count, frame_size)
    if domains is None:
        return frame
    if len(domains) != count:
        raise ValueError(f"expected one domain per map ({count}), got {len(domains)}")
    given = pack([[tuple(rect) if domain is None else domain] for rect, domain in zip(frame, domains, strict=True)])
    return clip(given, frame)[:, 0]
