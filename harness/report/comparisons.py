"""The models of a run against each other, sentence by sentence, as the summary's section `comparisons` has them.

A difference is the second model less the first, in the order of the run file: the sentences as written, exact profile.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from harness.report import numbers, wording
from harness.report.forest import Forest, Mark, forest
from harness.report.headline import ALPHA
from harness.report.reader import Estimate, Json, Results, dig, mapping, parse_estimate
from harness.report.tables import Cell, Column, Group, Row, Table, count_cell, estimate_cell

METRICS = ("auroc", "pointing")
LRI = "LRI"
"""Title of the Laterality Response Index, which has no subset."""
OPT_OUT = "Opt-out AUROC"


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of the second model less that of the first; `subset` in words, empty where there is none."""

    second: str
    first: str
    figure: str
    subset: str
    estimate: Estimate

    @property
    def pair(self) -> str:
        """The two models as a subtraction."""
        return f"{self.second} less {self.first}"

    @property
    def shown(self) -> bool:
        """Whether its q value is below 0.05."""
        return self.estimate.q is not None and self.estimate.q < ALPHA


def comparison_plots(results: Results) -> tuple[Forest, ...]:
    """A plot of each figure that two models have: AUROC and pointing by subset, the Laterality Response Index."""
    found = tuple(_differences(results))
    figures = (*(wording.metric(key).label for key in METRICS), LRI)
    plots = (_plot(results, figure, [d for d in found if d.figure == figure]) for figure in figures)
    return tuple(plot for plot in plots if plot is not None)


def comparison_table(results: Results) -> Table | None:
    """Every difference with its q value by pair of models, strong where q < 0.05; None for a run of one model."""
    found = tuple(_differences(results))
    if not found:
        return None
    pairs = dict.fromkeys(difference.pair for difference in found)
    return Table(
        "comparisons",
        "Difference between models, second less first",
        "Figure",
        (Column("Difference [95 % interval]"), Column("q"), Column("n")),
        tuple(Group(pair, tuple(_row(d) for d in found if d.pair == pair)) for pair in pairs),
        kin="Models",
    )


def _plot(results: Results, figure: str, found: list[Difference]) -> Forest | None:
    return forest(
        f"{figure}: difference between models, second less first",
        "difference",
        [_mark(results, difference) for difference in found],
        references=((0.0, "no difference"),),
        signed=True,
    )


def _mark(results: Results, difference: Difference) -> Mark:
    """Coloured as the second model."""
    series = results.models.index(difference.second) if difference.second in results.models else -1
    remark = numbers.named_probability("q", difference.estimate.q) if difference.shown else ""
    return Mark(difference.pair, series, difference.estimate, wording.sentence_case(difference.subset), remark)


def _row(difference: Difference) -> Row:
    estimate = difference.estimate
    return Row(
        ", ".join(part for part in (difference.figure, difference.subset) if part),
        (
            estimate_cell(estimate, 3, signed=True),
            Cell(numbers.probability(estimate.q), strong=difference.shown),
            count_cell(estimate),
        ),
    )


def _differences(results: Results) -> Iterator[Difference]:
    for second, references in mapping(results.summary.get("comparisons")).items():
        for first, sections in mapping(references).items():
            for figure, subset, node in _figures(mapping(sections)):
                estimate = parse_estimate(node)
                if estimate is not None:
                    yield Difference(second, first, figure, subset, estimate)


def _figures(sections: Json) -> Iterator[tuple[str, str, object]]:
    """(figure, subset in words, estimate or None) of one pair of models."""
    subsets = mapping(dig(sections, "metrics", wording.BASELINE))
    for key in METRICS:
        for subset in wording.in_order(wording.SUBSETS, subsets):
            label = wording.term(wording.SUBSETS, subset).label
            yield wording.metric(key).label, label, dig(subsets, subset, wording.DEFAULT_PROFILE, key)
    yield LRI, "", dig(sections, "laterality", "lri")
    yield OPT_OUT, "", dig(sections, "opt_out", "auroc")
