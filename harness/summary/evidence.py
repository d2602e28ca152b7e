"""The rows of a run by arm and subset, and how to reduce them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.columns import LazyColumns
from harness.metrics.registry import Profile
from harness.perturbation.registry import baseline_of
from harness.summary.cases import CaseTable, Index, answered, rows_of_sentences
from harness.summary.estimates import Columns, Statistician

SWAP = "swap_left_right"
"""The arm of the Laterality Response Index."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What every section of the summary is computed from."""

    cases: CaseTable
    models: Sequence[str]
    perturbations: Sequence[str]
    subsets: Sequence[str]
    profiles: Sequence[Profile]
    statistics: Statistician

    def columns(self, rows: Index) -> Columns:
        """Every metric of these rows; NaN for a row number below 0."""
        return LazyColumns(self.cases.metrics(self.profiles), lambda name: self.cases.known_numbers(name, rows))

    def groups(self, model: str, perturbation: str) -> Iterator[tuple[str, Index]]:
        """The answered rows of an arm by subset, and those of strata of their own. Empty ones are left out."""
        rows = answered(self.cases, model, perturbation)
        found = [(subset, rows[self.cases.member(subset)[rows]]) for subset in self.subsets]
        found += [(stratum, answered(self.cases, model, perturbation, stratum)) for stratum in self.cases.strata]
        return ((name, members) for name, members in found if len(members))

    def baseline(self, model: str, perturbation: str, rows: Index) -> Index:
        """For each row of an arm the same sentence's row in the arm to compare with, −1 where that was not answered."""
        base = answered(self.cases, model, baseline_of(perturbation))
        return rows_of_sentences(self.cases, base, self.cases.sentence_ids[rows])

    def patients(self, rows: Index) -> list[str]:
        """The patient of each row."""
        return list(self.cases.patients[rows])
