"""The study's deltas: how much AUROC is lost when the sentence or the boxes are changed."""

from collections.abc import Sequence
from dataclasses import replace

from harness.report import numbers, wording
from harness.report.reader import Estimate, Results
from harness.report.study.published import PROFILE, SUBSETS, VARIANTS, Published
from harness.report.study.quotes import quoted, with_quotes
from harness.report.tables import Cell, Column, Group, Row, Table, estimate_cell

CHANGES = (
    *("swap_left_right_paper", "swap_left_right", "shuffle_in_report", "random_sentences"),
    *("random_bboxes", "synthetic_swapped_conditions"),
)
"""The perturbations of the study's headline figure, in its order."""
WITH_COUNT = -1
"""No cell has this n, so that every cell tells its own."""


def changes_table(results: Results, published: Published | None) -> Table | None:
    """Change in AUROC by perturbation and subset; the cell of the headline figure stands out."""
    subsets = tuple(subset for subset in SUBSETS if subset in results.subsets)
    groups = tuple(_change_group(results, arm, subsets, published) for arm in CHANGES if arm in results.perturbations)
    groups = tuple(group for group in groups if group.rows)
    if not groups:
        return None
    return Table(
        key="study-changes",
        caption="Change in AUROC against the sentence as written, in percentage points; strong: the headline figure",
        stub="Model",
        columns=tuple(Column(wording.sentence_case(wording.term(wording.SUBSETS, s).label)) for s in subsets),
        groups=groups,
        kin="Perturbation",
    )


def _change_group(results: Results, arm: str, subsets: Sequence[str], published: Published | None) -> Group:
    found = ((model, _change_row(results, model, arm, subsets)) for model in results.models)
    rows = {model: row for model, row in found if row is not None}
    quotes = _quotes(published, arm, subsets) if rows else {}
    return Group(wording.term(wording.PERTURBATIONS, arm).label, with_quotes(rows, quotes))


def _change_row(results: Results, model: str, arm: str, subsets: Sequence[str]) -> Row | None:
    estimates = [results.estimate("deltas", model, arm, s, PROFILE, wording.PRIMARY_METRIC) for s in subsets]
    if not any(estimates):
        return None
    headline = wording.favoured_subset(arm, subsets)
    return Row(model, tuple(_cell(e, strong=s == headline) for s, e in zip(subsets, estimates, strict=True)))


def _cell(estimate: Estimate | None, *, strong: bool) -> Cell:
    if estimate is None:
        return Cell(numbers.NULL)
    cell = estimate_cell(estimate.scaled(100.0), 2, signed=True, row_n=WITH_COUNT)
    return replace(cell, strong=strong)


def _quotes(published: Published | None, arm: str, subsets: Sequence[str]) -> dict[str, Row]:
    """The study swapped by its own procedure; its values stand beside both ways of swapping."""
    if published is None:
        return {}
    asked = arm.removesuffix("_paper")
    headline = wording.favoured_subset(arm, subsets)
    quotes = {}
    for variant in VARIANTS:
        found = {s: published.changes.get((variant, asked, s, wording.PRIMARY_METRIC)) for s in subsets}
        if any(value is not None for value in found.values()):
            cells = (Cell(numbers.number(v, 2, signed=True), strong=s == headline) for s, v in found.items())
            quotes[variant] = quoted(variant, cells)
    return quotes
