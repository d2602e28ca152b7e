"""The report's tables as plain values; `page` draws them as HTML, `markdown` as text."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from harness.report import numbers, wording
from harness.report.reader import Estimate, Results, Section
from harness.report.wording import Metric

PROFILES = {"exact": "exact profile", "paper": "paper profile"}
NO_CELL = numbers.NULL


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell says: the value, the interval under it, and a remark such as a differing n."""

    text: str
    detail: str = ""
    remark: str = ""
    strong: bool = False
    """Whether it is the one to look at first."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading and what it stands for."""

    label: str
    meaning: str = ""
    anchor: str = ""
    """Key of the metric whose definition it links to."""
    words: bool = False
    """Whether its cells hold words rather than numbers."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row under its own heading."""

    head: str
    cells: tuple[Cell, ...]
    quoted: bool = False
    """Whether its values are others', not of this run."""


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that share a heading (a model); no heading when `head` is empty."""

    head: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A captioned table. `stub` heads the column of row headings, `kin` says what its groups are."""

    key: str
    caption: str
    stub: str
    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    kin: str = "Model"

    @property
    def slug(self) -> str:
        """The key in lower-case letters, digits and hyphens: for ids, labels and names of files."""
        return re.sub(r"[^a-z0-9]+", "-", self.key.lower()).strip("-")


def estimate_cell(estimate: Estimate | None, digits: int, *, signed: bool = False, row_n: int | None = None) -> Cell:
    """A mean with its interval; n is added where it differs from `row_n`, if that is given."""
    if estimate is None:
        return Cell(NO_CELL)
    return Cell(
        text=numbers.number(estimate.mean, digits, signed=signed),
        detail=numbers.interval(estimate, digits, signed=signed),
        remark=f"{numbers.count(estimate.n)}{_few(estimate, ', ')}" if row_n not in (None, estimate.n) else "",
    )


def count_cell(estimate: Estimate) -> Cell:
    """How many sentences an estimate rests on, with a remark if they are of few patients."""
    return Cell(numbers.thousands(estimate.n), remark=_few(estimate))


def _few(estimate: Estimate, before: str = "") -> str:
    return f"{before}from {estimate.patients} patients" if estimate.few_patients else ""


def metric_tables(
    results: Results, section: Section, profile: str, keys: Iterable[str], *, about: str = ""
) -> tuple[Table, ...]:
    """One table per subset: models × perturbations against the metrics `keys` of `profile`.

    Section ``models`` gives the values, ``deltas`` the changes against the unperturbed sentence. `about` ends the
    caption.
    """
    metrics = tuple(wording.metric(key) for key in keys)
    subsets = wording.in_order(wording.SUBSETS, results.subsets)
    tables = (_metric_table(results, section, (subset, profile), metrics, about) for subset in subsets)
    return tuple(table for table in tables if table.groups)


def _metric_table(
    results: Results, section: Section, where: tuple[str, str], metrics: tuple[Metric, ...], about: str
) -> Table:
    present = tuple(metric for metric in metrics if _is_present(results, section, where, metric))
    groups = (_model_group(results, section, model, where, present) for model in results.models)
    subset, profile = where
    return Table(
        key=f"{section}-{subset}-{profile}-{present[0].key if present else ''}",
        caption=_caption(section, subset, profile, about),
        stub="Sentence or image",
        columns=(Column("n"), *(Column(m.label, m.meaning, m.key) for m in present)),
        groups=tuple(group for group in groups if group.rows),
    )


def _caption(section: Section, subset: str, profile: str, about: str) -> str:
    parts = [wording.term(wording.SUBSETS, subset).label, PROFILES.get(profile, profile)]
    parts += ["changes"] if section == "deltas" else []
    parts += [about] if about else []
    return wording.sentence_case(", ".join(parts))


def _is_present(results: Results, section: Section, where: tuple[str, str], metric: Metric) -> bool:
    arms = ((model, arm) for model in results.models for arm in results.perturbations)
    return any(results.estimate(section, *arm, *where, metric.key) is not None for arm in arms)


def _model_group(
    results: Results, section: Section, model: str, where: tuple[str, str], metrics: tuple[Metric, ...]
) -> Group:
    arms = wording.in_order(wording.PERTURBATIONS, results.perturbations)
    rows = (_arm_row(results, section, model, arm, where, metrics) for arm in arms)
    return Group(model, tuple(row for row in rows if row is not None))


def _arm_row(
    results: Results, section: Section, model: str, arm: str, where: tuple[str, str], metrics: tuple[Metric, ...]
) -> Row | None:
    estimates = [results.estimate(section, model, arm, *where, metric.key) for metric in metrics]
    first = next((estimate for estimate in estimates if estimate is not None), None)
    if first is None:
        return None
    signed = section == "deltas"
    cells = [
        estimate_cell(estimate, metric.digits, signed=signed, row_n=first.n)
        for estimate, metric in zip(estimates, metrics, strict=True)
    ]
    label = wording.term(wording.PERTURBATIONS, arm).label
    return Row(label, (count_cell(first), *cells))
