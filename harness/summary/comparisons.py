"""The section `comparisons` of `summary.json`: every model of a run less every model that the run file names before it.

metrics     ``<model>.<reference>.metrics.<perturbation>.<subset>.<profile>.<metric>``
laterality  ``<model>.<reference>.laterality.lri``
opt_out     ``<model>.<reference>.opt_out.<figure>``
"""

from harness.progress import Progress
from harness.summary.changes import Changes
from harness.summary.estimates import Tree, adjust
from harness.summary.evidence import Evidence
from harness.summary.pairing import Pairing, Side


def comparison_section(evidence: Evidence, told: Progress) -> Tree:
    """model → reference → differences, with q over all of one profile, and of the LRI; empty for a run of one model.
    `told` of every perturbation of every pair."""
    return adjust(
        {
            model: {reference: _compared(evidence, model, reference, told) for reference in evidence.models[:place]}
            for place, model in enumerate(evidence.models)
            if place
        }
    )


def _compared(evidence: Evidence, model: str, reference: str, told: Progress) -> Tree:
    pairing = Pairing(Side(evidence.cases, reference), Side(evidence.cases, model))
    changes = Changes(pairing, evidence.statistics)
    sections = {
        "metrics": {
            perturbation: _metrics(evidence, pairing, perturbation)
            for perturbation in told.each(evidence.perturbations)
        },
        "laterality": {name.removeprefix("laterality_"): c.difference for name, c in changes.of_laterality().items()},
        "opt_out": _nested({name: change.difference for name, change in changes.of_opt_out().items()}),
    }
    return {name: section for name, section in sections.items() if section}


def _metrics(evidence: Evidence, pairing: Pairing, perturbation: str) -> Tree:
    """subset → profile → metric."""
    names = evidence.cases.metrics(evidence.profiles)
    tree = {}
    for subset, rows in evidence.groups(pairing.after.model, perturbation):
        paired = pairing.metrics(perturbation, rows, names)
        tree[subset] = evidence.statistics.deltas(paired.after, paired.before, paired.patients)
    return tree


def _nested(figures: Tree) -> Tree:
    """``risk_coverage.area`` becomes a key within a key, as in the section `opt_out`."""
    tree: Tree = {}
    for name, node in figures.items():
        section, _, figure = name.rpartition(".")
        (tree.setdefault(section, {}) if section else tree)[figure] = node
    return tree
