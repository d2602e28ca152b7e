"""What changed from one run to another: differences of the same sentence under the same model and perturbation."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from harness.results import RunDirectory
from harness.settings import ConfigError
from harness.statistics import Delta, paired_delta
from harness.summary.cases import CaseTable, Index, answered
from harness.text import aligned

SHOWN = ("exact_auroc", "exact_pointing", "exact_iou_at_10")
HEADS = ("model", "sentence", "subset", "metric", "before", "after", "change [95 %]", "p", "n")

Array = npt.NDArray[np.float64]


class Condition(BaseModel):
    """One line of a gate file: what must not get worse."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    model: str
    perturbation: str = "none"
    subset: str = "all"
    metric: str = Field(description="A column of cases.parquet, e.g. exact_auroc.")
    smallest_change: float | None = None
    """Broken when the mean change from A to B is below this, e.g. -0.01."""
    lowest: float | None = None
    """Broken when the mean of B is below this."""

    @model_validator(mode="after")
    def _says_something(self) -> "Condition":
        if self.smallest_change is None and self.lowest is None:
            raise ValueError("needs smallest_change, lowest or both")
        return self

    def faults(self, change: "Change | None") -> Iterator[str]:
        """Why the gate is broken, if it is. What cannot be checked counts as broken."""
        name = f"{self.model} / {self.perturbation} / {self.subset} / {self.metric}"
        if change is None or not change.delta.n:
            yield f"{name}: the two runs have no sentence in common with a value"
            return
        if change.newly_failed:
            yield f"{name}: {change.newly_failed} sentence(s) that were answered before failed"
        if self.smallest_change is not None and change.delta.mean < self.smallest_change:
            yield f"{name}: changed by {change.delta.mean:+.4f}, allowed is {self.smallest_change:+.4f}"
        if self.lowest is not None and change.after < self.lowest:
            yield f"{name}: is {change.after:.4f}, at least {self.lowest:.4f} is asked"


@dataclass(frozen=True, slots=True)
class Change:
    """Means before and after over the sentences that have a value in both, and their difference."""

    before: float
    after: float
    delta: Delta
    newly_failed: int
    """Sentences that were answered in A and failed in B: they are in no mean, and a mean without them can look better.
    """


@dataclass(frozen=True, slots=True, eq=False)
class Pairing:
    """Two runs joined by model, perturbation and sentence."""

    a: CaseTable
    b: CaseTable

    def change(self, model: str, perturbation: str, subset: str, metric: str) -> Change | None:
        """The change of one metric; None where either run lacks the column, the arm or the subset."""
        if not all(metric in run.table.column_names for run in (self.a, self.b)):
            return None
        rows_a, rows_b = self._rows(model, perturbation, subset)
        if not len(rows_a):
            return None
        before, after = self.a.numbers(metric, rows_a), self.b.numbers(metric, rows_b)
        missing = np.isnan(after - before)
        delta = paired_delta(after, before, list(self.b.patients[rows_b]))
        newly_failed = self._newly_failed(model, perturbation, subset)
        return Change(_mean(before, missing), _mean(after, missing), delta, newly_failed)

    def _newly_failed(self, model: str, perturbation: str, subset: str) -> int:
        failed = self.b.equals("model", model) & self.b.equals("perturbation", perturbation)
        failed &= self.b.equals("status", "failed") & self.b.member(subset)
        before = set(self.a.sentence_ids[answered(self.a, model, perturbation)])
        return sum(sentence in before for sentence in self.b.sentence_ids[failed])

    def _rows(self, model: str, perturbation: str, subset: str) -> tuple[Index, Index]:
        """Rows of A and of B with the same sentence, in the order of B."""
        rows_a, rows_b = (answered(run, model, perturbation) for run in (self.a, self.b))
        rows_b = rows_b[self.b.member(subset)[rows_b]]
        of_a = dict(zip(self.a.sentence_ids[rows_a], rows_a, strict=True))
        shared = np.array([s in of_a for s in self.b.sentence_ids[rows_b]], dtype=bool)
        rows_b = rows_b[shared]
        return np.array([of_a[s] for s in self.b.sentence_ids[rows_b]], dtype=np.intp), rows_b

    def in_both(self, column: str) -> list[str]:
        """Values of a text column that both runs have, in the order of B."""
        known = set(self.a.values(column))
        return [value for value in dict.fromkeys(self.b.values(column)) if value in known]

    def subsets(self) -> list[str]:
        """Subsets of B, in order of first mention."""
        return list(dict.fromkeys(name for names in self.b.values("subsets") for name in names))


def _mean(values: Array, missing: npt.NDArray[np.bool_]) -> float:
    return float(values[~missing].mean()) if not missing.all() else float("nan")


def load_gate(path: Path) -> tuple[Condition, ...]:
    """Read a gate file: a YAML list of conditions.

    Raises:
        ConfigError: it cannot be read, or a condition is wrong.
    """
    try:
        tree: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return tuple(TypeAdapter(list[Condition]).validate_python(tree))
    except OSError as error:
        raise ConfigError(f"cannot read the gate file {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError, ValidationError) as error:
        raise ConfigError(f"{path} is no list of conditions: {error}") from error


def read_pairing(a: Path, b: Path) -> Pairing:
    """Two runs by their directories.

    Raises:
        ConfigError: a directory is not that of a finished run.
    """
    for directory in (a, b):
        if not (RunDirectory(directory).cases.is_file() and RunDirectory(directory).manifest.is_file()):
            raise ConfigError(f"{directory} lacks cases.parquet or manifest.json: give one that `harness run` finished")
    return Pairing(CaseTable.read(RunDirectory(a).cases), CaseTable.read(RunDirectory(b).cases))


def compare(a: Path, b: Path, gate: Sequence[Condition] = ()) -> tuple[str, bool]:
    """The comparison as text, and whether a condition of the gate is broken.

    Raises:
        ConfigError: a directory is not that of a finished run.
    """
    pairing = read_pairing(a, b)
    faults = [fault for c in gate for fault in c.faults(pairing.change(c.model, c.perturbation, c.subset, c.metric))]
    lines = [*_sources(a, b), *aligned([HEADS, *_rows(pairing)])]
    lines += ["", *_failed(pairing), *(f"GATE BROKEN  {fault}" for fault in faults)]
    if gate and not faults:
        lines.append(f"gate holds: {len(gate)} conditions")
    return "\n".join(lines).rstrip(), bool(faults)


def _sources(a: Path, b: Path) -> Iterator[str]:
    """Which weights are compared, and a word if the data sets are not the same."""
    before, after = (json.loads(RunDirectory(directory).manifest.read_bytes()) for directory in (a, b))
    for model, node in after["models"].items():
        if model in before["models"]:
            yield f"{model}: weights {_weights(before['models'][model])} → {_weights(node)}"
    if before["dataset"]["digest"] != after["dataset"]["digest"]:
        yield "the data sets differ: only sentences with the same id are compared"
    yield ""


def _weights(node: dict[str, Any]) -> str:
    return f"{node['version']} ({node['weights_digest'][:12]})"


def _rows(pairing: Pairing) -> Iterator[tuple[str, ...]]:
    for model in pairing.in_both("model"):
        for perturbation in pairing.in_both("perturbation"):
            for subset in pairing.subsets():
                for metric in SHOWN:
                    change = pairing.change(model, perturbation, subset, metric)
                    if change is not None and change.delta.n:
                        yield model, perturbation, subset, metric, *_cells(change)


def _cells(change: Change) -> tuple[str, ...]:
    delta = change.delta
    interval = f"{delta.mean:+.4f} [{delta.lo:+.4f}, {delta.hi:+.4f}]"
    return f"{change.before:.4f}", f"{change.after:.4f}", interval, f"{delta.p:.4f}", str(delta.n)


def _failed(pairing: Pairing) -> Iterator[str]:
    counts = [int(run.equals("status", "failed").sum()) for run in (pairing.a, pairing.b)]
    if any(counts):
        yield f"failed cases: {counts[0]} before, {counts[1]} after"
