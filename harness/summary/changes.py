"""What differs between two sides: metrics, their reaction to a perturbation, the Laterality Response Index, and the
opt-out mass as a decision. Each is the side after less the side before, paired, with an interval over patients."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.perturbation.base import UNPERTURBED
from harness.perturbation.registry import baseline_of
from harness.summary.cases import answered
from harness.summary.contests import contests
from harness.summary.decisions import ARMS
from harness.summary.estimates import Statistician, Tree
from harness.summary.evidence import SWAP
from harness.summary.pairing import Paired, Pairing

PREFERENCE = "exact_preference"
LRI = "laterality_lri"


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """One figure of both sides on what they have in common."""

    before: float
    after: float
    difference: Tree
    """Estimate of after − before, as in `summary.json`; with a p where the figure is a mean."""
    newly_failed: int
    """Sentences that were answered before and failed after; they take no part."""


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """The differences of two sides. Figures that they do not share are missing."""

    pairing: Pairing
    statistics: Statistician

    def of_metrics(self, perturbation: str, subset: str, names: Sequence[str]) -> dict[str, Change]:
        """By name: metrics of an arm on a subset, as columns of `cases.parquet`."""
        rows = self.pairing.after.group(perturbation, subset)
        paired = self.pairing.metrics(perturbation, rows, self._shared(names))
        return self._changes(paired, self.pairing.newly_failed(perturbation, subset))

    def of_deltas(self, perturbation: str, subset: str, names: Sequence[str]) -> dict[str, Change]:
        """By name: how much more, or less, a metric reacts to a perturbation."""
        rows = self.pairing.after.group(perturbation, subset)
        paired = self.pairing.deltas(perturbation, rows, self._shared(names))
        arms = (perturbation, baseline_of(perturbation))
        return self._changes(paired, sum(self.pairing.newly_failed(arm, subset) for arm in arms))

    def of_laterality(self) -> dict[str, Change]:
        """The Laterality Response Index, under the name `laterality_lri`."""
        if not self._shared([PREFERENCE]):
            return {}
        return self._changes(laterality(self.pairing), self._newly_failed(SWAP, UNPERTURBED))

    def of_opt_out(self) -> dict[str, Change]:
        """By figure: `auroc`, `auroc_length_matched`, `risk_coverage.area`."""
        if not self._shared(["statement"]):  # a run of an earlier version
            return {}
        failed = self._newly_failed(ARMS["own_present"], ARMS["random_false"])
        found = {}
        for name, contest in contests(self.pairing, self.statistics.seed):
            difference = self.statistics.statistic(contest.difference, contest.counted, contest.patients)
            if not np.isnan(difference["mean"]):
                values = contest.value(contest.before), contest.value(contest.after)
                found[name] = Change(*values, difference, failed)
        return found

    def _newly_failed(self, *perturbations: str) -> int:
        return sum(self.pairing.newly_failed(perturbation) for perturbation in perturbations)

    def _shared(self, names: Sequence[str]) -> list[str]:
        known = [set(side.cases.table.column_names) for side in (self.pairing.before, self.pairing.after)]
        return [name for name in names if all(name in columns for columns in known)]

    def _changes(self, paired: Paired, newly_failed: int) -> dict[str, Change]:
        deltas = self.statistics.deltas(paired.after, paired.before, paired.patients)
        found = {}
        for name, after in paired.after.items():
            profile, _, metric = name.partition("_")
            before, missing = paired.before[name], np.isnan(after - paired.before[name])
            if not missing.all():
                means = float(before[~missing].mean()), float(after[~missing].mean())
                found[name] = Change(*means, deltas[profile][metric], newly_failed)
        return found


def laterality(pairing: Pairing) -> Paired:
    """Each sentence's part in the Laterality Response Index: the preference as written less that of the swapped."""
    rows = answered(pairing.after.cases, pairing.after.model, SWAP)
    lost = pairing.deltas(SWAP, rows, [PREFERENCE])
    return Paired({LRI: -lost.before[PREFERENCE]}, {LRI: -lost.after[PREFERENCE]}, lost.patients)
