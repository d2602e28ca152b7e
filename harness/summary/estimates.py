"""Tables of estimates as they stand in `summary.json`: ``<profile>.<metric> = {mean, ci95, n, patients, …}``."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.correlation import correlations
from harness.statistics import (
    Delta,
    Interval,
    Statistic,
    benjamini_hochberg,
    mean_interval,
    mean_intervals,
    paired_delta,
    paired_deltas,
    statistic_interval,
)

Columns = Mapping[str, npt.NDArray[np.float64]]
"""``<profile>_<metric>`` → (N,) values, NaN for null."""
Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Statistician:
    """Means, deltas and other statistics with one number of resamples and one seed."""

    resamples: int
    seed: int

    def mean(self, values: npt.NDArray[np.float64], patients: Sequence[str]) -> Tree:
        """One estimate."""
        return _estimate(mean_interval(values, patients, self.resamples, self.seed))

    def delta(
        self, values: npt.NDArray[np.float64], baseline: npt.NDArray[np.float64], patients: Sequence[str]
    ) -> Tree:
        """One estimate of values − baseline, row by row."""
        return _estimate(paired_delta(values, baseline, patients, self.resamples, self.seed))

    def statistic(self, statistic: Statistic, counted: npt.NDArray[np.bool_], patients: Sequence[str]) -> Tree:
        """One estimate of any statistic of the rows; `counted` (N,) or, of each class that it compares, (K, N): those
        that take part."""
        return _estimate(statistic_interval(statistic, counted, patients, self.resamples, self.seed))

    def correlations(self, columns: Columns, values: npt.NDArray[np.float64], patients: Sequence[str]) -> Tree:
        """profile → metric → Pearson's correlation with `values`, of every column that has a value."""
        found = {name: column for name, column in columns.items() if not np.isnan(column).all()}
        return _nested(correlations(found, values, patients, self.resamples, self.seed))

    def means(self, columns: Columns, patients: Sequence[str]) -> Tree:
        """profile → metric → estimate, of every column that has a value."""
        return _nested(mean_intervals(columns, patients, self.resamples, self.seed))

    def deltas(self, columns: Columns, baseline: Columns, patients: Sequence[str]) -> Tree:
        """profile → metric → estimate of column − baseline, row by row, where there is a row with both."""
        return _nested(paired_deltas(columns, baseline, patients, self.resamples, self.seed))


def _nested(intervals: Mapping[str, Interval]) -> Tree:
    """profile → metric → estimate, of every column that has a value."""
    tree: Tree = {}
    for name, interval in intervals.items():
        if not interval.n:
            continue
        profile, _, metric = name.partition("_")
        tree.setdefault(profile, {})[metric] = _estimate(interval)
    return tree


def _estimate(interval: Interval) -> Tree:
    node: Tree = {
        "mean": interval.mean,
        "ci95": [interval.lo, interval.hi],
        "n": interval.n,
        "patients": interval.patients,
    }
    return node | {"p": interval.p, "mde": interval.mde} if isinstance(interval, Delta) else node


def adjust(deltas: Tree) -> Tree:
    """The same tree with `q` beside every `p`: Benjamini–Hochberg over all its deltas of one profile."""
    families: dict[str, list[Tree]] = {}
    for profile, node in _walk(deltas, ""):
        families.setdefault(profile, []).append(node)
    for nodes in families.values():
        for node, q in zip(nodes, benjamini_hochberg([node["p"] for node in nodes]), strict=True):
            node["q"] = float(q)
    return deltas


def _walk(node: Tree, parent: str) -> Iterator[tuple[str, Tree]]:
    """Every delta of the tree, in order of its path, with the profile that it lies under. Other estimates have no p."""
    for key in sorted(node):
        child = node[key]
        if "p" in child and "ci95" in child:
            yield parent, child
        elif "ci95" not in child:
            yield from _walk(child, key)
