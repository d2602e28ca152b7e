"""Two sides' opt-out decisions on the sentences that both were asked."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.optout import length_matched
from harness.statistics import Statistic
from harness.summary.cases import Array, Index, Mask
from harness.summary.decisions import ARMS, figures, rows_of_class
from harness.summary.pairing import Pairing

COMPARED = ("auroc", "auroc_length_matched", "risk_coverage.area")
_SIDES = ("own_present", "random_false")  # negatives and positives of the decision


@dataclass(frozen=True, slots=True, eq=False)
class Contest:
    """One figure of both sides, as statistics of the same rows."""

    before: Statistic
    after: Statistic
    counted: Mask
    """(N,) or, of each class, (2, N): the rows that take part."""
    patients: list[str]

    def value(self, statistic: Statistic) -> float:
        """A side's figure."""
        return float(statistic(np.ones((1, len(self.patients))))[0])

    def difference(self, weights: Array) -> Array:
        """after − before, of the same draws."""
        return self.after(weights) - self.before(weights)


def contests(pairing: Pairing, seed: int) -> Iterator[tuple[str, Contest]]:
    """By figure; none unless both sides withhold attention. Sentences of equal length are chosen as `after` counts
    words."""
    before, after = (np.concatenate(rows) for rows in zip(*(_rows(pairing, name) for name in _SIDES), strict=True))
    cases_before, cases_after = pairing.before.cases, pairing.after.cases
    sides = (cases_before, before), (cases_after, after)
    if not all(np.nansum(cases.numbers("opt_out", rows)) > 0 for cases, rows in sides):
        return
    positive = cases_after.equals("statement", "random_false")[after]
    matched = length_matched(cases_after.numbers("words", after), positive, seed=seed)
    mine = figures(cases_after, after, positive, matched)
    theirs = figures(cases_before, before, positive, matched)
    patients = list(cases_after.patients[after])
    for name in COMPARED:
        if name in mine and name in theirs:
            (statistic, counted), (other, also_counted) = mine[name], theirs[name]
            yield name, Contest(other, statistic, counted & also_counted, patients)


def _rows(pairing: Pairing, name: str) -> tuple[Index, Index]:
    """The rows of one class of statements that have counterparts of the same class: (before, after)."""
    before, after = pairing.counterparts(ARMS[name], rows_of_class(pairing.after.cases, pairing.after.model, name))
    same = pairing.before.cases.equals("statement", name)[before]
    return np.compress(same, before), np.compress(same, after)
