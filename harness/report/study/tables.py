"""The study's tables, in the profile `paper`, in the study's order and units.

Rows are models within a subset, so that models can be compared; a published row stands under the model that it names,
or after all of them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from harness.report import numbers, wording
from harness.report.reader import Estimate, Results
from harness.report.study.changes import changes_table
from harness.report.study.human import correlations_table, ratings_table
from harness.report.study.published import PROFILE, SUBSETS, VARIANTS, Published
from harness.report.study.quotes import quoted, with_quotes
from harness.report.tables import Cell, Column, Group, Row, Table, count_cell, estimate_cell

REPORT, SYNTHETIC = "none", "synthetic_sentences"
SENTENCE_KINDS = {REPORT: "report", SYNTHETIC: "synthetic"}


@dataclass(frozen=True, slots=True)
class Measure:
    """A column: the metric of an arm, `factor` × the summary's value, with so many decimals."""

    arm: str
    metric: str
    label: str
    factor: float = 100.0
    digits: int = 1

    def column(self) -> Column:
        """Its heading, linked to the metric's definition."""
        return Column(self.label, wording.metric(self.metric).meaning, self.metric)


def _in_both_sentences(metrics: Iterable[str]) -> tuple[Measure, ...]:
    return tuple(
        Measure(arm, metric, f"{wording.metric(metric).label}, {label}")
        for metric in metrics
        for arm, label in SENTENCE_KINDS.items()
    )


AT_PERCENT = (5, 10, 30)
BY_SUBSET: tuple[tuple[str, str, tuple[Measure, ...]], ...] = (
    (
        "localisation",
        "Localisation by subset, for sentences of the report and synthetic ones, in percent",
        _in_both_sentences(("auroc", "avg_precision")),
    ),
    (
        "precision",
        "Precision in the strongest 5, 10 and 30 % of the map, in percent",
        _in_both_sentences(f"precision_at_{k}" for k in AT_PERCENT),
    ),
    (
        "iou",
        "IoU of the strongest 5, 10 and 30 % of the map, in percent",
        _in_both_sentences(f"iou_at_{k}" for k in AT_PERCENT),
    ),
    (
        "attention",
        "Attention entropy and divergence from the map of a random sentence, in nats; matching accuracy, in percent",
        (
            Measure(REPORT, "entropy", "Entropy", 1.0, 3),
            Measure("random_sentences", "kl", "KL, random sentence", 1.0, 4),
            Measure("random_sentences", "match_local", "Match, local"),
            Measure("random_sentences", "match_global", "Match, global"),
        ),
    ),
)


def study_tables(results: Results, published: Published | None) -> tuple[Table, ...]:
    """The study's tables as far as the run has what they need; `published` stands beside, if given."""
    tables = [_by_subset(results, key, caption, measures, published) for key, caption, measures in BY_SUBSET]
    tables += [changes_table(results, published), ratings_table(results, published), correlations_table(results)]
    return tuple(table for table in tables if table is not None)


def _by_subset(
    results: Results, key: str, caption: str, measures: Sequence[Measure], published: Published | None
) -> Table | None:
    present = [measure for measure in measures if _is_present(results, measure)]
    if not present:
        return None
    groups = (_subset_group(results, subset, present, published) for subset in SUBSETS if subset in results.subsets)
    return Table(
        key=f"study-{key}",
        caption=caption,
        stub="Model",
        columns=(Column("n"), *(measure.column() for measure in present)),
        groups=tuple(group for group in groups if group.rows),
        kin="Subset",
    )


def _value(results: Results, model: str, subset: str, measure: Measure) -> Estimate | None:
    found = results.estimate("models", model, measure.arm, subset, PROFILE, measure.metric)
    return None if found is None else found.scaled(measure.factor)


def _is_present(results: Results, measure: Measure) -> bool:
    places = ((model, subset) for model in results.models for subset in SUBSETS)
    return any(_value(results, *place, measure) is not None for place in places)


def _subset_group(results: Results, subset: str, measures: Sequence[Measure], published: Published | None) -> Group:
    found = ((model, _model_row(results, model, subset, measures)) for model in results.models)
    rows = {model: row for model, row in found if row is not None}
    quotes = _quotes(published, subset, measures) if rows else {}
    return Group(wording.sentence_case(wording.term(wording.SUBSETS, subset).label), with_quotes(rows, quotes))


def _model_row(results: Results, model: str, subset: str, measures: Sequence[Measure]) -> Row | None:
    estimates = [_value(results, model, subset, measure) for measure in measures]
    known = next((estimate for estimate in estimates if estimate is not None), None)
    if known is None:
        return None
    cells = (estimate_cell(e, m.digits, row_n=known.n) for e, m in zip(estimates, measures, strict=True))
    return Row(model, (count_cell(known), *cells))


def _quotes(published: Published | None, subset: str, measures: Sequence[Measure]) -> dict[str, Row]:
    """variant → its published row."""
    if published is None:
        return {}
    count = Cell(numbers.thousands(published.sentences[subset]))
    return {
        variant: quoted(variant, [count, *_quoted_cells(published, variant, subset, measures)]) for variant in VARIANTS
    }


def _quoted_cells(published: Published, variant: str, subset: str, measures: Sequence[Measure]) -> Iterator[Cell]:
    for measure in measures:
        value = published.values.get((variant, measure.arm, subset, measure.metric))
        yield Cell(numbers.number(value, measure.digits))
