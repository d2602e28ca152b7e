"""`score`: every metric of a profile for many maps at once."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from harness.metrics.coverage import Boxes
from harness.metrics.entropy import published_withheld, withheld
from harness.metrics.registry import PROFILES, Metric, MetricError, Profile, registered
from harness.metrics.scene import Array, Scene, area_weights, pixel_weights
from wronglung.geometry import Rect

_BATCH, _CELLS = 1024, 1024 * 361  # most maps and most cells per step, so that memory does not grow with their number
_ROUNDING = 1e-6  # how far a value may lie outside its metric's range


def score(
    maps: npt.ArrayLike,
    boxes: Sequence[Boxes],
    *,
    frame_size: tuple[int, int] = (224, 224),
    opt_out: npt.ArrayLike | None = None,
    profile: Profile = "exact",
    domains: Sequence[Rect | None] | None = None,
    metrics: Sequence[Metric] | None = None,
) -> dict[str, Array]:
    """Score N attention maps against their boxes.

    Args:
        maps: (N, R, C), values >= 0; a map of NaN (a sentence that failed) scores NaN throughout.
        boxes: per map a list of ``[x0, y0, x1, y1]`` in frame pixels, in any number. Profile `paper`: whole pixels with
            inclusive maxima (`harness.metrics.label.paper_boxes`). Profile `exact`: real-valued, half-open and not
            clipped to the frame (`harness.metrics.label.exact_boxes`).
        frame_size: (height, width) of the frame in pixels.
        opt_out: (N,) in [0, 1], NaN where it is not known; None: whatever a map's sum leaves of 1. Pass zeros for maps
            that do not sum to 1.
        profile: `paper` (the procedure of arXiv 2210.06565) or `exact`.
        domains: profile `exact` only: per map the image's rectangle in frame pixels (`Frame.image_rect`), beyond which
            lies padding that counts neither way; None for the whole frame.
        metrics: which ones; None for all that are registered for the profile.

    Returns:
        name → (N,) float64, NaN where a metric is null: an empty label, or nothing to divide by.

    Raises:
        ValueError: shapes that do not fit together, negative or infinite values, a box that is not four finite numbers.
    """
    grids = _checked_maps(maps)
    _check_request(grids, boxes, profile, domains)
    rest = None if opt_out is None else _checked_opt_out(opt_out, len(grids))
    chosen = registered(profile) if metrics is None else tuple(metrics)
    values: dict[str, list[Array]] = {metric.name: [] for metric in chosen}
    for part in _parts(*grids.shape):
        scene = _scene(
            grids[part],
            boxes[part],
            frame_size,
            None if rest is None else rest[part],
            profile,
            None if domains is None else domains[part],
        )
        failed = np.isnan(grids[part]).any(axis=(1, 2))
        for metric in chosen:
            values[metric.name].append(np.where(failed, np.nan, evaluate(metric, scene, profile)))
    return {name: np.concatenate(parts) for name, parts in values.items()}


def evaluate(metric: Metric, scene: Scene, profile: Profile) -> Array:
    """(N,): one metric, null by its own rule for empty labels.

    Raises:
        MetricError: the metric does not have the profile, fails, or does not return one number per map in its range.
    """
    if profile not in metric.protocols:
        raise MetricError(f"metric {metric.name!r} has no protocol for profile {profile!r}")
    values = _compute(metric, scene, profile)
    if metric.empty_label == "null":
        values = np.where(scene.total_positive > 0, values, np.nan)
    outside = (values < metric.lowest - _ROUNDING) | (values > metric.highest + _ROUNDING) | np.isinf(values)
    if outside.any():
        raise MetricError(
            f"metric {metric.name!r} returned {values[outside][0]}, outside of what it declares: a finite number "
            f"between {metric.lowest} and {metric.highest}, or NaN"
        )
    return values


def _compute(metric: Metric, scene: Scene, profile: Profile) -> Array:
    try:
        values = np.asarray(metric.protocols[profile].compute(scene), dtype=np.float64)
    except Exception as error:  # a user's function may raise anything
        raise MetricError(f"metric {metric.name!r} failed: {type(error).__name__}: {error}") from error
    if values.shape != (len(scene.maps),):
        raise MetricError(f"metric {metric.name!r} returned shape {values.shape}, expected ({len(scene.maps)},)")
    return values


def _parts(count: int, rows: int, cols: int) -> Iterator[slice]:
    """Slices that cover `count` maps of a grid; one empty slice for none."""
    size = max(1, min(_BATCH, _CELLS // (rows * cols)))
    return (slice(start, start + size) for start in range(0, max(count, 1), size))


def _scene(
    grids: Array,
    boxes: Sequence[Boxes],
    frame_size: tuple[int, int],
    opt_out: Array | None,
    profile: Profile,
    domains: Sequence[Rect | None] | None,
) -> Scene:
    grid = grids.shape[1], grids.shape[2]
    maps = np.nan_to_num(grids.reshape(len(grids), grid[0] * grid[1]))
    if profile == "paper":
        area, positive, lost = pixel_weights(boxes, grid, frame_size)
        remainder = published_withheld
    else:
        area, positive, lost = area_weights(boxes, grid, frame_size, domains)
        remainder = withheld
    return Scene(maps, area, positive, remainder(maps) if opt_out is None else opt_out, lost)


def _checked_maps(maps: npt.ArrayLike) -> Array:
    grids = np.asarray(maps, dtype=np.float64)
    if grids.ndim != 3 or 0 in grids.shape[1:]:
        raise ValueError(f"maps have the shape (N, rows, columns), got {grids.shape}")
    empty = np.isnan(grids)
    if (empty.any(axis=(1, 2)) != empty.all(axis=(1, 2))).any():
        raise ValueError("a map is partly NaN: a failed sentence has NaN in every cell, any other map in none")
    if np.isinf(grids).any() or (grids < 0).any():
        raise ValueError("a map has negative or infinite values: attention is finite and at least 0")
    return grids


def _checked_opt_out(opt_out: npt.ArrayLike, count: int) -> Array:
    mass = np.asarray(opt_out, dtype=np.float64)
    if mass.shape != (count,):
        raise ValueError(f"expected one opt-out mass per map ({count}), got shape {mass.shape}")
    if (mass < 0).any() or (mass > 1).any():
        raise ValueError("an opt-out mass lies outside [0, 1]")
    return mass


def _check_request(
    grids: Array, boxes: Sequence[Boxes], profile: Profile, domains: Sequence[Rect | None] | None
) -> None:
    if profile not in PROFILES:
        raise ValueError(f"a profile is one of {', '.join(PROFILES)}, got {profile!r}")
    if len(boxes) != len(grids):
        raise ValueError(f"expected one list of boxes per map ({len(grids)}), got {len(boxes)}")
    if profile == "paper" and domains is not None:
        raise ValueError("profile 'paper' counts the padding as image: leave out domains")
    if domains is not None and len(domains) != len(grids):
        raise ValueError(f"expected one domain per map ({len(grids)}), got {len(domains)}")
