"""How far models by one recipe lie apart when only the seed differs.

A model NAME-seed-N belongs to the model NAME: `python -m training RECIPE --seed N` names it so.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.report import numbers
from harness.report.facts import size_line
from harness.report.markdown import escape, lineage_markdown, rows_to_markdown
from harness.report.reader import Estimate, Results, ResultsError, dig, mapping, parse_estimate

_OTHER_SEED = re.compile(r"(?P<recipe>.+)-seed-(?P<seed>\d+)")
_HEAD = """\
# How much of it is chance of the seed?

Written by `harness seeds` from runs of `harness/runs/trained`; run it again instead of editing.

Each recipe again by `python -m training RECIPE --seed N`: other first weights, of the recipes before as well, and other
batches. A recipe that starts from a model's folder (encoder-few-shot) keeps those first weights, and draws other
sentences. All learn from the same patients. Intervals are over patients (95 %) and say nothing about seeds, so both are
shown.
"""
WITHIN = 0.03
"""How far AUROCs may lie apart, unless told."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that seeds are compared by.

    Args:
        label: heads its column.
        section: of `summary.json`.
        path: below the model in that section.
        signed: whether its sign is shown.
    """

    label: str
    section: str
    path: tuple[str, ...]
    signed: bool = False

    def of(self, results: Results, model: str) -> Estimate | None:
        """The number of a model, if it has one."""
        return parse_estimate(dig(results.summary, self.section, model, *self.path))

    def cell(self, results: Results, model: str) -> str:
        """The number with its interval."""
        estimate = self.of(results, model)
        return numbers.NULL if estimate is None else numbers.with_interval(estimate, signed=self.signed)


AUROC = Figure("AUROC, all", "models", ("none", "all", "exact", "auroc"))
FIGURES = (
    AUROC,
    Figure("AUROC, abnormal", "models", ("none", "abnormal", "exact", "auroc")),
    Figure("LRI", "laterality", ("lri",), signed=True),
    Figure("swap, one lung", "deltas", ("swap_left_right", "one_lung", "exact", "auroc"), signed=True),
    Figure("opt-out AUROC, random", "opt_out", ("auroc",)),
    Figure("opt-out AUROC, negated", "opt_out", ("auroc_of_negated",)),
)


@dataclass(frozen=True, slots=True)
class Family:
    """The models of a run by one recipe, the shipped one first."""

    recipe: str
    members: tuple[str, ...]

    def apart(self, results: Results, figure: Figure) -> float | None:
        """How far the two that differ most lie apart; None where a model has no such number."""
        means = [estimate.mean for member in self.members if (estimate := figure.of(results, member))]
        known = [mean for mean in means if mean is not None]
        return max(known) - min(known) if len(known) == len(self.members) else None


def families(models: Iterable[str]) -> list[Family]:
    """Models of which there are several by one recipe, in the order of the run."""
    found: dict[str, list[str]] = {}
    for model in models:
        match = _OTHER_SEED.fullmatch(model)
        found.setdefault(match["recipe"] if match else model, []).append(model)
    return [Family(recipe, tuple(sorted(members, key=_seed))) for recipe, members in found.items() if len(members) > 1]


def _seed(model: str) -> int:
    match = _OTHER_SEED.fullmatch(model)
    return int(match["seed"]) if match else -1


def _rows(results: Results, family: Family) -> Iterable[list[str]]:
    for member in family.members:
        cells = [figure.cell(results, member) for figure in FIGURES]
        yield [escape(family.recipe), "shipped" if member == family.recipe else str(_seed(member)), *cells]


def _apart(results: Results, family: Family) -> list[str]:
    return [escape(family.recipe), *(numbers.number(family.apart(results, figure)) for figure in FIGURES)]


def table(results: Results) -> str:
    """Every model with its numbers, then how far apart those of a recipe lie, as Markdown.

    Raises:
        ResultsError: there are no two models by one recipe.
    """
    found, labels = families(results.models), [figure.label for figure in FIGURES]
    if not found:
        raise ResultsError(f"no model of {results.directory} has another seed: its name would end in -seed-N")
    whole = rows_to_markdown(["Recipe", "Seed", *labels], (row for each in found for row in _rows(results, each)))
    apart = rows_to_markdown(["Furthest apart", *labels], (_apart(results, each) for each in found), left=1)
    return f"{escape(size_line(results))}\n\n{whole}\n{apart}"


def page(runs: Sequence[Results], before: str = "") -> str:
    """The page of all runs, a chapter each.

    Args:
        runs: what to write.
        before: the page as it was: its chapters of other runs stay.

    Raises:
        ResultsError: two runs have one name.
    """
    names = [run.name for run in runs]
    if len(set(names)) < len(names):
        raise ResultsError("two of the runs have the same name: give one another `name` in its run file")
    kept = {chapter.partition("\n")[0]: chapter for chapter in before.split("\n## ")[1:]}
    new = {escape(run.name): f"{escape(run.name)}\n\n{table(run)}\n{lineage_markdown(run)}\n" for run in runs}
    chapters = (kept | new).values()
    return "\n## ".join([_HEAD, *(chapter.rstrip("\n") + "\n" for chapter in chapters)])


def too_far(results: Results, within: float) -> list[str]:
    """What is wrong, a line each: recipes whose AUROC over all sentences differs by more, or is not known, and models
    with the weights of another."""
    lines = []
    for family in families(results.models):
        if (different := _weights(results, family)) < len(family.members):
            lines.append(
                f"{family.recipe}: {len(family.members)} models have {different} different weights: train them again"
            )
        apart = family.apart(results, AUROC)
        if apart is None:
            lines.append(f"{family.recipe}: a model has no AUROC in {results.directory}")
        elif apart > within:
            lines.append(f"{family.recipe}: AUROC differs by {apart:.3f} between seeds, more than {within:g}")
    return lines


def _weights(results: Results, family: Family) -> int:
    """How many different weights the models of a recipe have; as many as models where the run does not tell."""
    models = mapping(results.manifest.get("models"))
    return len({mapping(models.get(member)).get("weights_digest", member) for member in family.members})
