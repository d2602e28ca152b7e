"""The report's tables as plain values; `page` draws them as HTML, `markdown` as text."""

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


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that share a heading (a model); no heading when `head` is empty."""

    head: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A captioned table. `stub` heads the column of row headings."""

    key: str
    caption: str
    stub: str
    columns: tuple[Column, ...]
    groups: tuple[Group, ...]


def estimate_cell(estimate: Estimate | None, digits: int, *, signed: bool = False, row_n: int | None = None) -> Cell:
    """A mean with its interval; n is added where it differs from the row's."""
    if estimate is None:
        return Cell(NO_CELL)
    remark = numbers.count(estimate.n) if row_n is not None and estimate.n != row_n else ""
    return Cell(
        text=numbers.number(estimate.mean, digits, signed=signed),
        detail=numbers.interval(estimate, digits, signed=signed),
        remark=remark,
    )


def localisation_tables(results: Results, profile: str) -> tuple[Table, ...]:
    """One table per subset: models × perturbations against the metrics of `profile`."""
    subsets = wording.in_order(wording.SUBSETS, results.subsets)
    return tuple(table for subset in subsets if (table := _metric_table(results, "models", subset, profile)).groups)


def delta_tables(results: Results, profile: str) -> tuple[Table, ...]:
    """As `localisation_tables`, but changes against the unperturbed sentence."""
    subsets = wording.in_order(wording.SUBSETS, results.subsets)
    return tuple(table for subset in subsets if (table := _metric_table(results, "deltas", subset, profile)).groups)


def _metric_table(results: Results, section: Section, subset: str, profile: str) -> Table:
    metrics = _metrics_present(results, section, subset, profile)
    groups = (_model_group(results, section, model, (subset, profile), metrics) for model in results.models)
    return Table(
        key=f"{section}-{subset}-{profile}",
        caption=f"{wording.term(wording.SUBSETS, subset).label}, {PROFILES.get(profile, profile)}".capitalize(),
        stub="Sentence or image",
        columns=(Column("n"), *(Column(m.label, m.meaning, m.key) for m in metrics)),
        groups=tuple(group for group in groups if group.rows),
    )


def _metrics_present(results: Results, section: Section, subset: str, profile: str) -> tuple[Metric, ...]:
    def present(metric: Metric) -> bool:
        return any(
            results.estimate(section, model, arm, subset, profile, metric.key)
            for model in results.models
            for arm in results.perturbations
        )

    return tuple(metric for metric in wording.METRICS if present(metric))


def _model_group(
    results: Results, section: Section, model: str, where: tuple[str, str], metrics: Iterable[Metric]
) -> Group:
    metrics = tuple(metrics)
    arms = wording.in_order(wording.PERTURBATIONS, results.perturbations)
    rows = (_arm_row(results, section, model, arm, where, metrics) for arm in arms)
    return Group(model, tuple(row for row in rows if row is not None))


def _arm_row(
    results: Results, section: Section, model: str, arm: str, where: tuple[str, str], metrics: tuple[Metric, ...]
) -> Row | None:
    estimates = [results.estimate(section, model, arm, *where, metric.key) for metric in metrics]
    if not any(estimates):
        return None
    n = next((e.n for e in estimates if e is not None), 0)
    signed = section == "deltas"
    cells = [
        estimate_cell(estimate, metric.digits, signed=signed, row_n=n)
        for estimate, metric in zip(estimates, metrics, strict=True)
    ]
    label = wording.term(wording.PERTURBATIONS, arm).label
    return Row(label, (Cell(numbers.thousands(n)), *cells))
