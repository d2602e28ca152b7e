"""Every number of a row: the registered metrics of each profile, and those that compare it with another row.

Columns are named ``<profile>_<metric>``. Beside the registered metrics:

    kl                   symmetric KL divergence from the map of the sentence that it is compared with, in nats
    match_local/_global  1 where the sentence that it is compared with is more similar to the image, else 0
    preference           share of the sentence's own side in the attention on both sides (profile exact)
    mirror_consistency   correlation with the mirrored map of the unperturbed case (mirror_both, profile exact)

A sentence is compared with itself as written; a synthetic one with other conditions, with the synthetic one.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from harness.collect.gather import Reading, Row
from harness.collect.scoring import Scorable, alike, score_all
from harness.laterality import mirror_consistency, preference, sided_regions
from harness.metrics.label import exact_boxes
from harness.metrics.pairs import beats, symmetric_kl
from harness.metrics.registry import Profile
from harness.perturbation.base import UNPERTURBED
from harness.perturbation.registry import baseline_of

Array = npt.NDArray[np.float64]
Columns = dict[str, Array]
Pair = tuple[int, Reading, Reading]
"""Number of a row, its reading, and that of the same sentence in the arm to compare with."""


def metric_columns(rows: Sequence[Row], profiles: Sequence[Profile]) -> Columns:
    """Every metric column: (rows,) float64, NaN for null and for rows without an answer."""
    answered = [(i, row, row.outcome) for i, row in enumerate(rows) if isinstance(row.outcome, Reading)]
    items = [Scorable(reading.map, reading.opt_out, row.case.boxes, reading.frame) for _, row, reading in answered]
    places = np.array([i for i, _, _ in answered], dtype=np.intp)
    columns: Columns = {}
    for profile in profiles:
        for metric, values in score_all(items, profile).items():
            columns[f"{profile}_{metric}"] = _spread(values, places, len(rows))
        columns |= _pair_columns(rows, profile)
    if "exact" in profiles:
        columns["exact_preference"] = _preference(rows)
        columns["exact_mirror_consistency"] = _mirror_consistency(rows)
    return columns


def _spread(values: Array, places: npt.NDArray[np.intp], count: int) -> Array:
    column = np.full(count, np.nan)
    column[places] = values
    return column


def _pairs(rows: Sequence[Row], chosen: Callable[[Row], bool]) -> list[Pair]:
    """The chosen answered rows with the answer of the same model to the same sentence in the arm to compare with."""
    outcomes = {_key(row, row.case.perturbation): row.outcome for row in rows}
    pairs = []
    for i, row in enumerate(rows):
        base = outcomes.get(_key(row, baseline_of(row.case.perturbation)))
        if isinstance(row.outcome, Reading) and isinstance(base, Reading) and chosen(row):
            pairs.append((i, row.outcome, base))
    return pairs


def _key(row: Row, perturbation: str) -> tuple[str, str, str]:
    return row.model, perturbation, row.case.sentence.sentence_id


def _says_something_else(row: Row) -> bool:
    """Whether another text was sent with the same image."""
    return row.on_own_image and row.case.perturbation != UNPERTURBED and row.case.sends == "text"


def _pair_columns(rows: Sequence[Row], profile: Profile) -> Columns:
    pairs = _pairs(rows, _says_something_else)
    places = np.array([i for i, _, _ in pairs], dtype=np.intp)
    local = beats([b.local_similarity for _, _, b in pairs], [r.local_similarity for _, r, _ in pairs])
    overall = beats([b.global_similarity for _, _, b in pairs], [r.global_similarity for _, r, _ in pairs])
    return {
        f"{profile}_kl": _each_grid(pairs, len(rows), lambda group: _kl(group, profile)),
        f"{profile}_match_local": _spread(local, places, len(rows)),
        f"{profile}_match_global": _spread(overall, places, len(rows)),
    }


def _each_grid(pairs: Sequence[Pair], count: int, compare: Callable[[Sequence[Pair]], Array]) -> Array:
    """Compare pairs, those of one grid at once."""
    values = np.full(count, np.nan)
    for members in alike([own.map.shape for _, own, _ in pairs]):
        group = [pairs[k] for k in members]
        values[[i for i, _, _ in group]] = compare(group)
    return values


def _kl(pairs: Sequence[Pair], profile: Profile) -> Array:
    return symmetric_kl(
        _base_maps(pairs),
        _own_maps(pairs),
        opt_out=[base.opt_out for _, _, base in pairs],
        other_opt_out=[own.opt_out for _, own, _ in pairs],
        profile=profile,
    )


def _own_maps(pairs: Sequence[Pair]) -> npt.NDArray[np.float32]:
    return np.stack([own.map for _, own, _ in pairs])


def _base_maps(pairs: Sequence[Pair]) -> npt.NDArray[np.float32]:
    return np.stack([base.map for _, _, base in pairs])


def _preference(rows: Sequence[Row]) -> Array:
    """For texts sent with the data set's own image: there the same regions lie on the same side."""
    found = [
        (i, row.outcome, sided)
        for i, row in enumerate(rows)
        if isinstance(row.outcome, Reading)
        and row.on_own_image
        and row.case.sends == "text"
        and (sided := sided_regions(row.case.sentence.boxes, row.regions)) is not None
    ]
    values = np.full(len(rows), np.nan)
    for members in alike([(*r.map.shape, r.frame.height, r.frame.width) for _, r, _ in found]):
        group = [found[k] for k in members]
        frame = group[0][1].frame
        values[[i for i, _, _ in group]] = preference(
            np.stack([reading.map for _, reading, _ in group]),
            [exact_boxes(sided.own, reading.frame) for _, reading, sided in group],
            [exact_boxes(sided.mirrored, reading.frame) for _, reading, sided in group],
            frame_size=(frame.height, frame.width),
        )
    return values


def _mirror_consistency(rows: Sequence[Row]) -> Array:
    pairs = _pairs(rows, lambda row: row.case.perturbation == "mirror_both")
    return _each_grid(pairs, len(rows), lambda group: mirror_consistency(_base_maps(group), _own_maps(group)))
