"""The opt-out mass as a decision: is attention withheld from sentences that are false for the image?

Positives are the random sentences that state something false of the image, negatives the image's own sentences that
state something present; own negated sentences are a class of their own (`harness.statements` says which is which), held
against the same negatives by themselves.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from harness.optout import decision_auroc, length_matched, risk_coverage_area
from harness.statistics import Statistic
from harness.summary.cases import CaseTable, Index, Mask, answered
from harness.summary.estimates import Statistician, Tree

Array = npt.NDArray[np.float64]

ARMS = {"own_present": "none", "own_negated": "none", "random_false": "random_sentences"}
"""Class of a statement → the perturbation under which it is made."""
AREA = "risk_coverage.area"

Figures = Mapping[str, tuple[Statistic, Mask]]
"""Figure → the statistic of the rows of a decision, and which of them take part: of one that compares two classes,
those of each (2, N)."""


def opt_out_tree(cases: CaseTable, model: str, statistics: Statistician) -> Tree:
    """The figures of one model; empty for a model that never withholds attention, or without random sentences."""
    mass = cases.numbers("opt_out")
    if not np.nansum(mass[answered(cases, model, "none")]) > 0 or not len(answered(cases, model, ARMS["random_false"])):
        return {}
    classes = {name: rows_of_class(cases, model, name) for name in ARMS}
    return {
        "mass": {
            name: statistics.mean(mass[rows], list(cases.patients[rows])) for name, rows in classes.items() if len(rows)
        },
        **_decision(cases, classes["own_present"], classes["random_false"], statistics),
        **_denials(cases, classes["own_present"], classes["own_negated"], statistics),
    }


def rows_of_class(cases: CaseTable, model: str, name: str) -> Index:
    """The answered rows of one class of statements."""
    rows = answered(cases, model, ARMS[name])
    return np.compress(cases.equals("statement", name)[rows], rows)


def _decision(cases: CaseTable, own: Index, random: Index, statistics: Statistician) -> Tree:
    rows = np.concatenate([own, random])
    positive = np.arange(len(rows)) >= len(own)
    patients = list(cases.patients[rows])
    tree: Tree = {}
    matched = length_matched(cases.numbers("words", rows), positive, seed=statistics.seed)
    for name, (statistic, counted) in figures(cases, rows, positive, matched).items():
        section, _, figure = name.rpartition(".")
        node = tree.setdefault(section, {}) if section else tree
        node[figure] = statistics.statistic(statistic, counted, patients)
    if "risk_coverage" in tree:
        tree["risk_coverage"] |= _references(_risk(cases, rows, positive), patients, statistics)
    return tree


def _denials(cases: CaseTable, own: Index, negated: Index, statistics: Statistician) -> Tree:
    """Is attention withheld from what the image's own report denies? Empty without such sentences."""
    if not len(negated):
        return {}
    rows = np.concatenate([own, negated])
    mass, positive = cases.numbers("opt_out", rows), np.arange(len(rows)) >= len(own)
    counted = _of_each(positive, ~np.isnan(mass))
    node = statistics.statistic(decision_auroc(mass, positive), counted, list(cases.patients[rows]))
    return {"auroc_of_negated": node}


def figures(cases: CaseTable, rows: Index, positive: Mask, matched: Mask) -> Figures:
    """The figures of a decision on these rows; (N,) `positive`: those that are false for their image; `matched`: those
    that are compared at equal length."""
    mass, words = cases.numbers("opt_out", rows), cases.numbers("words", rows)
    found = {
        name: (decision_auroc(values, positive), _of_each(positive, ~np.isnan(values)))
        for name, values in {
            "auroc": mass,
            "auroc_length_matched": np.where(matched, mass, np.nan),
            "auroc_of_word_count": words,
        }.items()
    }
    if "exact_pointing" in cases.table.column_names:
        risk = _risk(cases, rows, positive)
        found[AREA] = risk_coverage_area(mass, risk), ~np.isnan(risk)
    return found


def _of_each(positive: Mask, counted: Mask) -> Mask:
    """(2, N): the counted rows of either class."""
    return np.stack([counted & positive, counted & ~positive])


def _risk(cases: CaseTable, rows: Index, positive: Mask) -> Array:
    return np.where(positive, 1.0, 1.0 - cases.numbers("exact_pointing", rows))


def _references(risk: Array, patients: list[str], statistics: Statistician) -> Tree:
    """What the area would be in random order (the mean risk), and in ascending order of the risk itself."""
    return {
        "area_in_random_order": statistics.mean(risk, patients),
        "area_in_ideal_order": statistics.statistic(risk_coverage_area(risk, risk), ~np.isnan(risk), patients),
    }
