"""The sections of the summary that hold the controls:

controls        ``<control>[.<model>].<subset>.<profile>.<metric>``: the control's own means
advantage       ``<model>.<control>.<subset>…``: the model less the control, sentence by sentence
control_deltas  ``text_blind.<model>.<perturbation>.all…``: 0 wherever only the text was changed
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from harness.columns import LazyColumns, pick
from harness.perturbation.base import UNPERTURBED
from harness.progress import Progress
from harness.summary.cases import Index, answered
from harness.summary.control_scores import ControlScorer, Scored, Scores
from harness.summary.estimates import Columns, Tree, adjust
from harness.summary.evidence import Evidence

PRIOR = "centre_prior"


def control_sections(evidence: Evidence, parts: Sequence[Path], told: Progress) -> Tree:
    """All three sections; `told` of every model whose controls are scored, and of every one that is compared with them.
    Their scores lie beside the parts while the summary is made."""
    if not parts:
        return _sections(evidence, [], told)
    with tempfile.TemporaryDirectory(prefix=".controls-", dir=parts[0].parent) as folder:
        scorer = ControlScorer(parts, evidence.perturbations, evidence.profiles, Path(folder))
        scored = [scorer.score(model) for model in told.each(evidence.models)]
        return _sections(evidence, [found for found in scored if found is not None], told)


def _sections(evidence: Evidence, models: Sequence[Scored], told: Progress) -> Tree:
    advantage = {s.model: _advantage(evidence, s, {PRIOR: s.free[PRIOR], **s.own}) for s in told.each(models)}
    return {
        "controls": {
            **_controls_without_models(evidence, models),
            **_by_control({s.model: _means(evidence, s, s.own) for s in models}),
        },
        "advantage": adjust(advantage),
        "control_deltas": {"text_blind": {s.model: _text_blind_deltas(evidence, s) for s in models}},
    }


def _controls_without_models(evidence: Evidence, models: Sequence[Scored]) -> Tree:
    """By control alone when all models share their cells, else by control and model."""
    if len({s.geometry for s in models}) == 1:
        return _means(evidence, models[0], models[0].free)
    return _by_control({s.model: _means(evidence, s, s.free) for s in models})


def _by_control(trees: Mapping[str, Tree]) -> Tree:
    """model → control → … turned into control → model → …"""
    turned: Tree = {}
    for model, tree in trees.items():
        for control, node in tree.items():
            turned.setdefault(control, {})[model] = node
    return turned


def _means(evidence: Evidence, scored: Scored, scores: Scores) -> Tree:
    """control → subset → profile → metric."""
    rows = answered(evidence.cases, scored.model, UNPERTURBED)
    return {
        control: {
            subset: evidence.statistics.means(pick(columns, places), evidence.patients(rows[places]))
            for subset, places in _subsets(evidence, rows)
        }
        for control, columns in scores.items()
    }


def _advantage(evidence: Evidence, scored: Scored, scores: Scores) -> Tree:
    """control → subset → profile → metric: the model's value less the control's."""
    rows = answered(evidence.cases, scored.model, UNPERTURBED)
    return {
        control: {
            subset: evidence.statistics.deltas(
                _shared(evidence.columns(rows[places]), columns),
                pick(columns, places),
                evidence.patients(rows[places]),
            )
            for subset, places in _subsets(evidence, rows)
        }
        for control, columns in scores.items()
    }


def _shared(mine: Columns, columns: Columns) -> Columns:
    """The columns that both have."""
    return LazyColumns(columns, mine.__getitem__)


def _text_blind_deltas(evidence: Evidence, scored: Scored) -> Tree:
    """perturbation → all → profile → metric: the text-blind map of the image against each arm's boxes, less the same
    against the sentence's own. Arms that change the image have none."""
    tree: Tree = {}
    for perturbation in evidence.perturbations:
        if perturbation in scored.moved:
            moved, own = scored.moved[perturbation]
            rows = _on_the_same_image(evidence, scored.model, perturbation)
            tree[perturbation] = {"all": evidence.statistics.deltas(moved, own, evidence.patients(rows))}
    return tree


def _on_the_same_image(evidence: Evidence, model: str, perturbation: str) -> Index:
    """The answered rows of an arm that were sent with the very bytes of the unperturbed case."""
    cases = evidence.cases
    rows = answered(cases, model, perturbation)
    base = evidence.baseline(model, perturbation, rows)
    same = (base >= 0) & (cases.digests[rows] == cases.digests[np.maximum(base, 0)])
    return np.compress(same, rows)


def _subsets(evidence: Evidence, rows: Index) -> list[tuple[str, Index]]:
    """Places among these rows by subset; empty ones are left out."""
    found = [(subset, np.flatnonzero(evidence.cases.member(subset)[rows])) for subset in evidence.subsets]
    return [(subset, places) for subset, places in found if len(places)]
