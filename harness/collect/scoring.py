"""Maps with their boxes in original pixels become metrics: the bridge between answers and `harness.metrics`."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.case import Box
from harness.metrics import registered, score
from harness.metrics.label import exact_boxes, paper_boxes
from harness.metrics.registry import Profile
from wronglung.geometry import Frame

Array = npt.NDArray[np.float64]

_BATCH = 256  # maps per step: a mask is some hundreds of boxes


@dataclass(frozen=True, slots=True, eq=False)
class Scorable:
    """One map with what it is held against."""

    map: npt.NDArray[np.floating]
    """(R, C)."""
    opt_out: float
    """NaN: not known."""
    boxes: tuple[Box, ...]
    """Half-open, original pixels."""
    frame: Frame


def score_all(items: Sequence[Scorable], profile: Profile) -> dict[str, Array]:
    """Every registered metric of a profile: name → (N,), NaN for null. Maps may differ in grid and frame size."""
    values = {metric.name: np.full(len(items), np.nan) for metric in registered(profile)}
    for indices in alike([(*item.map.shape, item.frame.height, item.frame.width) for item in items]):
        for start in range(0, len(indices), _BATCH):
            some = indices[start : start + _BATCH]
            for name, part in _score_alike([items[i] for i in some], profile).items():
                values[name][some] = part
    return values


def alike(kinds: Sequence[Hashable]) -> list[npt.NDArray[np.intp]]:
    """The indices of each kind of item, e.g. of maps that share their grid and so can be computed together."""
    groups: dict[Hashable, list[int]] = {}
    for i, kind in enumerate(kinds):
        groups.setdefault(kind, []).append(i)
    return [np.array(indices, dtype=np.intp) for indices in groups.values()]


def _score_alike(items: Sequence[Scorable], profile: Profile) -> dict[str, Array]:
    exact = profile == "exact"
    return score(
        np.stack([item.map for item in items]),
        [exact_boxes(item.boxes, item.frame) if exact else paper_boxes(item.boxes, item.frame) for item in items],
        frame_size=(items[0].frame.height, items[0].frame.width),
        opt_out=np.array([item.opt_out for item in items]),
        profile=profile,
        domains=[item.frame.image_rect for item in items] if exact else None,
    )
