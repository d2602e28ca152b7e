"""What people say of the maps: mean ratings, and which metrics agree with them."""

from harness.report import numbers, wording
from harness.report.reader import Estimate, Results, dig, mapping, parse_estimate
from harness.report.study.published import PROFILE, VARIANTS, Published
from harness.report.study.quotes import quoted, with_quotes
from harness.report.tables import Cell, Column, Group, Row, Table, count_cell, estimate_cell

QUESTIONS = {
    "has_good_recall": ("Recall", "How much of the region that the sentence is about does the map include?", "recall"),
    "has_good_precision": ("Precision", "How much of the map is of interest to the sentence?", "precision"),
    "is_intuitive": ("Intuitiveness", "How intuitive is the map?", "intuitiveness"),
}
"""Key in the summary → heading, the question, and its name among the published values."""


def ratings_table(results: Results, published: Published | None) -> Table | None:
    """The mean rating of each model's maps by each question; None for a run without ratings."""
    asked = _asked(results)
    found = ((model, _rating_row(results, model, asked)) for model in results.models)
    rows = {model: row for model, row in found if row is not None}
    if not rows:
        return None
    return Table(
        key="study-ratings",
        caption="Human ratings of the maps, from 1 (worst) to 5",
        stub="Model",
        columns=(Column("n"), *_columns(asked)),
        groups=(Group("", with_quotes(rows, _quotes(published, asked))),),
    )


def correlations_table(results: Results) -> Table | None:
    """Pearson's correlation of every metric with each question, model by model, in the study's profile; None for a run
    without."""
    asked = _asked(results)
    groups = tuple(Group(model, _correlation_rows(results, model, asked)) for model in results.models)
    groups = tuple(group for group in groups if group.rows)
    if not groups:
        return None
    return Table(
        key="study-correlations",
        caption="Correlation of human ratings with the metrics (Pearson's r)",
        stub="Metric",
        columns=_columns(asked),
        groups=groups,
    )


def _columns(asked: tuple[str, ...]) -> tuple[Column, ...]:
    return tuple(Column(QUESTIONS[question][0], QUESTIONS[question][1]) for question in asked)


def _asked(results: Results) -> tuple[str, ...]:
    """The questions that any model's maps were rated by, in the study's order."""
    models = mapping(results.summary.get("ratings")).values()
    return tuple(question for question in QUESTIONS if any(question in mapping(model) for model in models))


def _estimate(results: Results, model: str, question: str, profile: str, metric: str) -> Estimate | None:
    return parse_estimate(dig(results.summary, "ratings", model, question, profile, metric))


def _rating_row(results: Results, model: str, asked: tuple[str, ...]) -> Row | None:
    estimates = [_estimate(results, model, question, "rating", "mean") for question in asked]
    known = next((estimate for estimate in estimates if estimate is not None), None)
    if known is None:
        return None
    return Row(model, (count_cell(known), *(estimate_cell(e, 2, row_n=known.n) for e in estimates)))


def _correlation_rows(results: Results, model: str, asked: tuple[str, ...]) -> tuple[Row, ...]:
    by_question = [mapping(dig(results.summary, "ratings", model, question, PROFILE)) for question in asked]
    measured = [key for metrics in by_question for key in metrics]
    ordered = [key for key in wording.MAIN_METRICS if key in measured]
    ordered += wording.further_metrics(measured)
    return tuple(
        Row(
            wording.metric(key).label,
            tuple(estimate_cell(_estimate(results, model, q, PROFILE, key), 2, signed=True) for q in asked),
        )
        for key in ordered
    )


def _quotes(published: Published | None, asked: tuple[str, ...]) -> dict[str, Row]:
    """variant → its published row, of the variants that were rated."""
    if published is None:
        return {}
    names = [QUESTIONS[question][2] for question in asked]
    return {
        variant: quoted(variant, [Cell(""), *(Cell(numbers.number(values.get(name), 2)) for name in names)])
        for variant, values in published.ratings.items()
        if variant in VARIANTS
    }
