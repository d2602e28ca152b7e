"""Does the map follow "left" and "right"? The Laterality Response Index and the mirror consistency.

For a sentence that names one side: R is the union of its boxes, R′ the union of their mirror images in the same image
(left lower lung zone ↔ right lower lung zone), both without R ∩ R′. The preference of a map is the share of R in the
attention on both; the index of a sentence is its preference less that of the sentence with left and right swapped.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.case import OTHER_SIDE, Box
from harness.metrics.coverage import Boxes, even_edges, pack, union_areas
from harness.metrics.pairs import correlation
from harness.metrics.scene import over_cells, ratio

Array = npt.NDArray[np.float64]

_SIDE = re.compile(r"\b(left|right)\b")
_TOO_LITTLE = 1e-6  # attention on both sides together, below which there is no preference


@dataclass(frozen=True, slots=True)
class SidedRegions:
    """The boxes of a sentence that lie on a side, and their counterparts across the midline (original pixels)."""

    own: tuple[Box, ...]
    mirrored: tuple[Box, ...]


def mirrored_name(name: str) -> str | None:
    """The region's counterpart, e.g. ``"left lung"`` → ``"right lung"``; None for a region without a side."""
    mirrored = _SIDE.sub(lambda match: OTHER_SIDE[match[1]], name)
    return None if mirrored == name else mirrored


def sided_regions(boxes: Iterable[Box], regions: Iterable[Box]) -> SidedRegions | None:
    """The sided boxes whose counterparts are among the image's regions, with these; None if there is none."""
    by_name: dict[str, list[Box]] = {}
    for region in regions:
        by_name.setdefault(region.name, []).append(region)
    own = [box for box in boxes if mirrored_name(box.name) in by_name]
    names = dict.fromkeys(mirrored_name(box.name) for box in own)
    mirrored = [region for name in names if name is not None for region in by_name[name]]
    return SidedRegions(tuple(own), tuple(mirrored)) if own else None


def preference(
    maps: npt.ArrayLike, own: Sequence[Boxes], mirrored: Sequence[Boxes], *, frame_size: tuple[int, int] = (224, 224)
) -> Array:
    """(N,): mass on R / (mass on R + mass on R′), in [0, 1]; NaN where their sum is below 1e-6.

    Args:
        maps: (N, R, C) attention maps; NaN for a sentence that failed.
        own: per map the half-open boxes of the sentence, in frame pixels.
        mirrored: per map the boxes of the mirrored regions.
        frame_size: (height, width) of the frame.

    Raises:
        ValueError: the three do not have one entry per map.
    """
    grids = np.asarray(maps, dtype=np.float64)
    if grids.ndim != 3 or not len(grids) == len(own) == len(mirrored):
        raise ValueError(f"expected maps (N, rows, columns) with two box lists each, got {grids.shape}")
    edges = even_edges(frame_size[0], grids.shape[1]), even_edges(frame_size[1], grids.shape[2])
    here, there = pack(own), pack(mirrored)
    both = union_areas(pack([[*a, *b] for a, b in zip(own, mirrored, strict=True)]), *edges)
    ours = _mass(grids, both - union_areas(there, *edges), frame_size)
    theirs = _mass(grids, both - union_areas(here, *edges), frame_size)
    total = ours + theirs
    return np.asarray(ratio(ours, np.where(total >= _TOO_LITTLE, total, 0.0)))


def mirror_consistency(maps: npt.ArrayLike, mirror_both_maps: npt.ArrayLike) -> Array:
    """(N,): correlation of the map of the mirrored image and swapped sentence with the original map, mirrored.

    Both (N, R, C). In [−1, 1]: 1 means that the model treats both sides alike. NaN where a map is constant or failed.
    """
    return correlation(np.asarray(mirror_both_maps), np.asarray(maps)[..., ::-1])


def _mass(grids: Array, areas: Array, frame_size: tuple[int, int]) -> Array:
    """(N,): attention on the areas (N, R, C) of the cells, a cell's attention lying evenly in it."""
    count, rows, cols = grids.shape
    share = np.maximum(areas, 0.0) * (rows * cols / (frame_size[0] * frame_size[1]))
    return over_cells((grids * share).reshape(count, rows * cols))
