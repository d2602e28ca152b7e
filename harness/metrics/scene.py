"""What a metric sees: N maps over one grid, each cell's area and label, and the cells ranked.

A metric over the pixels of an upsampled map is a weighted metric over its cells, because all pixels of a cell share
the cell's value: the weights are the cell's area and the label's area within it. Shapes: N maps, M = R · C cells.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from harness.metrics import coverage
from harness.metrics.ranking import Ranking, rank
from wronglung.geometry import Rect

Array = npt.NDArray[np.float64]

_BATCH = 128  # maps per step
_SLIVER = 1e-9  # share of a cell's area below which a difference is rounding


@dataclass(frozen=True, eq=False)
class Scene:
    """N maps with their labels; every array float64. Frozen: the ranking is computed once and shared by the metrics."""

    maps: Array
    """(N, M): attention, finite and >= 0."""
    area: Array
    """(N, M): each cell's area in the domain, in frame pixels²; 0 for cells in the padding."""
    positive: Array
    """(N, M): the part of it under the label."""
    opt_out: Array
    """(N,): attention withheld from the image, in [0, 1]; NaN where that is not known."""
    lost: Array
    """(N,): share of the boxes' union outside the frame; NaN without boxes."""

    @cached_property
    def ranking(self) -> Ranking:
        """The cells of every map in descending order."""
        return rank(self.maps, self.area, self.positive)

    @cached_property
    def total_area(self) -> Array:
        """(N,): the domain's area."""
        return over_cells(self.area)

    @cached_property
    def total_positive(self) -> Array:
        """(N,): the label's area."""
        return over_cells(self.positive)

    @cached_property
    def coverage(self) -> Array:
        """(N, M): the label's share of each cell, in [0, 1]; 0 outside the domain."""
        return np.where(self.area > 0, ratio(self.positive, self.area), 0.0)

    @cached_property
    def peak(self) -> Array:
        """(N,): the highest value in the domain; 0 where the domain is empty."""
        return np.asarray(np.where(self.area > 0, self.maps, 0.0).max(axis=1))


def over_cells(values: npt.NDArray[np.generic]) -> Array:
    """(N,): the sum over the cells (N, M) of each map."""
    return np.asarray(values.sum(axis=1), dtype=np.float64)


def ratio(numerator: Array, denominator: Array) -> Array:
    """The quotient, NaN wherever the denominator is not positive."""
    positive = denominator > 0
    return np.where(positive, numerator / np.where(positive, denominator, 1.0), np.nan)


def pixel_weights(
    boxes: Sequence[coverage.Boxes], grid: tuple[int, int], frame_size: tuple[int, int]
) -> tuple[Array, Array, Array]:
    """Profile `paper`: whole pixels, boxes with inclusive maxima. Returns area, positive (N, M) and lost (N,).

    Raises:
        ValueError: a coordinate is not a whole number.
    """
    edges = coverage.pixel_edges(frame_size[0], grid[0]), coverage.pixel_edges(frame_size[1], grid[1])
    return _weights(boxes, _pack_pixels, coverage.whole_frame(len(boxes), frame_size), frame_size, edges)


def _pack_pixels(boxes: Sequence[coverage.Boxes]) -> Array:
    packed = coverage.pack(boxes)
    if (packed != np.round(packed)).any():
        raise ValueError("profile 'paper' takes boxes on whole pixels; harness.metrics.label.paper_boxes makes them")
    packed[..., 2:] += 1.0
    return packed


def area_weights(
    boxes: Sequence[coverage.Boxes],
    grid: tuple[int, int],
    frame_size: tuple[int, int],
    domains: Sequence[Rect | None] | None,
) -> tuple[Array, Array, Array]:
    """Profile `exact`: real-valued half-open boxes and domains. Returns area, positive (N, M) and lost (N,)."""
    edges = coverage.even_edges(frame_size[0], grid[0]), coverage.even_edges(frame_size[1], grid[1])
    domain = coverage.domain_rects(domains, len(boxes), frame_size)
    return _weights(boxes, coverage.pack, domain, frame_size, edges)


def _weights(
    boxes: Sequence[coverage.Boxes],
    pack: Callable[[Sequence[coverage.Boxes]], Array],
    domain: Array,
    frame_size: tuple[int, int],
    edges: tuple[Array, Array],
) -> tuple[Array, Array, Array]:
    """Area, positive and lost of all maps; so many at once that the boxes of masks, packed, stay small."""
    steps = [slice(start, start + _BATCH) for start in range(0, max(len(boxes), 1), _BATCH)]
    parts = [_weights_of(pack(boxes[step]), domain[step], frame_size, edges) for step in steps]
    area, positive, lost = (np.concatenate(part) for part in zip(*parts, strict=True))
    return area, positive, lost


def _weights_of(
    boxes: Array, domain: Array, frame_size: tuple[int, int], edges: tuple[Array, Array]
) -> tuple[Array, Array, Array]:
    area = coverage.rect_areas(domain, *edges)
    positive = coverage.union_areas(coverage.clip(boxes, domain), *edges)
    sliver = _SLIVER * np.outer(np.diff(edges[0]), np.diff(edges[1]))
    positive = np.where(positive <= sliver, 0.0, np.where(area - positive <= sliver, area, positive))
    kept = coverage.union_area(coverage.clip(boxes, coverage.whole_frame(len(boxes), frame_size)))
    lost = 1.0 - ratio(kept, coverage.union_area(boxes))
    flat = len(boxes), sliver.size
    return area.reshape(flat), positive.reshape(flat), np.clip(lost, 0.0, 1.0)
