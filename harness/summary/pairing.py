"""Two models' rows, of one run or of two, joined where both were asked the same of the same image."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from harness.columns import LazyColumns
from harness.perturbation.registry import baseline_of
from harness.summary.cases import Array, CaseTable, Index, Mask, answered, rows_of_sentences
from harness.summary.estimates import Columns


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One model's rows in one run."""

    cases: CaseTable
    model: str

    def with_status(self, perturbation: str, status: str) -> Index:
        """The rows of an arm with this status, those of strata of their own included."""
        chosen = self.cases.equals("model", self.model) & self.cases.equals("perturbation", perturbation)
        return np.flatnonzero(chosen & self.cases.equals("status", status))

    def group(self, perturbation: str, subset: str) -> Index:
        """The answered rows of an arm that are in a subset, or in a stratum of its own of that name."""
        rows = answered(self.cases, self.model, perturbation)
        members = np.compress(self.cases.member(subset)[rows], rows)
        return members if len(members) else answered(self.cases, self.model, perturbation, subset)

    def baseline(self, perturbation: str, rows: Index) -> Index:
        """For each row of an arm the same sentence's row in the arm that it is compared with; −1 without one."""
        base = answered(self.cases, self.model, baseline_of(perturbation))
        return rows_of_sentences(self.cases, base, self.cases.sentence_ids[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Paired:
    """Values of two sides row by row: (N,) for every name, NaN for null."""

    before: Columns
    after: Columns
    patients: list[str]


@dataclass(frozen=True, slots=True, eq=False)
class Pairing:
    """Two sides. A row of one is the counterpart of a row of the other if both had the same sentence, text, boxes and
    image, to the bit. Where one side does not know its image's bytes (its map was made elsewhere), the id decides."""

    before: Side
    after: Side
    _known: dict[str, dict[bytes, int]] = field(default_factory=dict)
    """Perturbation → input → row of `before`."""

    def counterparts(self, perturbation: str, rows_after: Index) -> tuple[Index, Index]:
        """Of these rows of `after` those with an answered counterpart in `before`: (rows before, rows after)."""
        if perturbation not in self._known:
            rows = self.before.with_status(perturbation, "ok")
            self._known[perturbation] = dict(zip(self.before.cases.inputs[rows], rows, strict=True))
        known = self._known[perturbation]
        found = np.array([known.get(key, -1) for key in self.after.cases.inputs[rows_after]], dtype=np.intp)
        before, after = found[found >= 0], rows_after[found >= 0]
        same = same_where_known(self.before.cases.digests[before], self.after.cases.digests[after])
        return before[same], after[same]

    def metrics(self, perturbation: str, rows_after: Index, names: Sequence[str]) -> Paired:
        """Metrics of these rows of `after`, and of their counterparts."""
        before, after = self.counterparts(perturbation, rows_after)
        return Paired(
            LazyColumns(names, lambda name: self.before.cases.numbers(name, before)),
            LazyColumns(names, lambda name: self.after.cases.numbers(name, after)),
            self._patients(after),
        )

    def deltas(self, perturbation: str, rows_after: Index, names: Sequence[str]) -> Paired:
        """The same less the arm that the perturbation is compared with; null where that had other input."""
        before, after = self.counterparts(perturbation, rows_after)
        base_before, base_after = self.before.baseline(perturbation, before), self.after.baseline(perturbation, after)
        alike = self.before.cases.inputs[base_before] == self.after.cases.inputs[base_after]
        base_before = np.where(alike, base_before, -1)
        return Paired(
            LazyColumns(names, lambda name: _less(self.before.cases, name, before, base_before)),
            LazyColumns(names, lambda name: _less(self.after.cases, name, after, base_after)),
            self._patients(after),
        )

    def newly_failed(self, perturbation: str, subset: str | None = None) -> int:
        """Sentences that were answered before and failed after: they are in no mean, and a mean without them can look
        better."""
        cases, failed = self.after.cases, self.after.with_status(perturbation, "failed")
        if subset is not None:
            failed = np.compress((cases.member(subset) | cases.equals("stratum", subset))[failed], failed)
        before = set(self.before.cases.sentence_ids[self.before.with_status(perturbation, "ok")])
        return sum(sentence in before for sentence in cases.sentence_ids[failed])

    def _patients(self, rows_after: Index) -> list[str]:
        return list(self.after.cases.patients[rows_after])


def same_where_known(digests: npt.NDArray[np.object_], others: npt.NDArray[np.object_]) -> Mask:
    """(N,): not known to differ; an empty digest is not known."""
    return np.asarray((digests == others) | (digests == "") | (others == ""), dtype=bool)


def _less(cases: CaseTable, name: str, rows: Index, base: Index) -> Array:
    return cases.numbers(name, rows) - cases.known_numbers(name, base)
