"""The sections of the summary that hold the controls:

controls        ``<control>[.<model>].<subset>.<profile>.<metric>``: the control's own means
advantage       ``<model>.<control>.<subset>…``: the model less the control, sentence by sentence
control_deltas  ``text_blind.<model>.<perturbation>.all…``: 0 wherever only the text was changed
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from harness.summary.cases import Index, answered
from harness.summary.control_scores import (
    Baseline,
    Control,
    of_the_model,
    read_baseline,
    score_control,
    text_blind,
    without_a_model,
)
from harness.summary.estimates import Columns, Tree, adjust
from harness.summary.evidence import Evidence
from harness.summary.meaning import Meaning

PRIOR = "centre_prior"

Scores = Mapping[str, Columns]
"""control → its metrics on the sentences of a baseline."""


def control_sections(evidence: Evidence, parts: Sequence[Path], meanings: Mapping[str, Meaning | None]) -> Tree:
    """All three sections; `meanings`: sentence id → what the sentence says."""
    baselines = [b for model in evidence.models if (b := read_baseline(parts, model, meanings)) is not None]
    free = _score_without_models(evidence, baselines)
    own = {b.model: {c.name: _score(evidence, b, c) for c in of_the_model(b)} for b in baselines}
    return {
        "controls": {
            **_controls_without_models(evidence, baselines, free),
            **_by_control({b.model: _means(evidence, b, own[b.model]) for b in baselines}),
        },
        "advantage": adjust(
            {b.model: _advantage(evidence, b, {PRIOR: free[b.model][PRIOR], **own[b.model]}) for b in baselines}
        ),
        "control_deltas": {
            "text_blind": {b.model: _text_blind_deltas(evidence, b, own[b.model]["text_blind"]) for b in baselines}
        },
    }


def _score_without_models(evidence: Evidence, baselines: Sequence[Baseline]) -> dict[str, Scores]:
    """model → scores of the controls that need no model, computed once for models that share their cells."""
    known: dict[object, Scores] = {}
    for b in baselines:
        if b.geometry not in known:
            known[b.geometry] = {c.name: _score(evidence, b, c) for c in without_a_model(b)}
    return {b.model: known[b.geometry] for b in baselines}


def _controls_without_models(evidence: Evidence, baselines: Sequence[Baseline], free: Mapping[str, Scores]) -> Tree:
    """By control alone when all models share their cells, else by control and model."""
    if len({b.geometry for b in baselines}) == 1:
        return _means(evidence, baselines[0], free[baselines[0].model])
    return _by_control({b.model: _means(evidence, b, free[b.model]) for b in baselines})


def _by_control(trees: Mapping[str, Tree]) -> Tree:
    """model → control → … turned into control → model → …"""
    turned: Tree = {}
    for model, tree in trees.items():
        for control, node in tree.items():
            turned.setdefault(control, {})[model] = node
    return turned


def _score(evidence: Evidence, baseline: Baseline, control: Control) -> Columns:
    return score_control(control, baseline.boxes, baseline.frames, evidence.profiles)


def _means(evidence: Evidence, baseline: Baseline, scores: Scores) -> Tree:
    """control → subset → profile → metric."""
    return {
        control: {
            subset: evidence.statistics.means(_take(columns, places), _patients(baseline, places))
            for subset, places in _subsets(evidence, baseline)
        }
        for control, columns in scores.items()
    }


def _advantage(evidence: Evidence, baseline: Baseline, scores: Scores) -> Tree:
    """control → subset → profile → metric: the model's value less the control's."""
    rows = answered(evidence.cases, baseline.model, "none")
    mine = evidence.columns(rows)
    return {
        control: {
            subset: evidence.statistics.deltas(
                {name: mine[name][places] for name in columns}, _take(columns, places), _patients(baseline, places)
            )
            for subset, places in _subsets(evidence, baseline)
        }
        for control, columns in scores.items()
    }


def _text_blind_deltas(evidence: Evidence, baseline: Baseline, own: Columns) -> Tree:
    """perturbation → all → profile → metric: the text-blind map of the image against each arm's boxes, less the same
    against the sentence's own (`own`). Arms that change the image have none."""
    control = text_blind(baseline)
    place_of = {sentence: place for place, sentence in enumerate(baseline.sentence_ids)}
    tree: Tree = {}
    for perturbation in evidence.perturbations:
        rows = _on_the_same_image(evidence, baseline.model, perturbation)
        if perturbation == "none" or not len(rows):
            continue
        places = np.array([place_of[s] for s in evidence.cases.sentence_ids[rows]], dtype=np.intp)
        moved = score_control(
            Control(control.name, control.maps[places], control.opt_out[places]),
            evidence.cases.boxes(rows),
            evidence.cases.frames(rows),
            evidence.profiles,
        )
        tree[perturbation] = {"all": evidence.statistics.deltas(moved, _take(own, places), evidence.patients(rows))}
    return tree


def _on_the_same_image(evidence: Evidence, model: str, perturbation: str) -> Index:
    """The answered rows of an arm that were sent with the very bytes of the unperturbed case."""
    cases = evidence.cases
    rows = answered(cases, model, perturbation)
    base = evidence.baseline(model, perturbation, rows)
    digests = np.array(cases.values("image_sha256"), dtype=object)
    same = (base >= 0) & (digests[rows] == digests[np.maximum(base, 0)])
    return np.compress(same, rows)


def _subsets(evidence: Evidence, baseline: Baseline) -> list[tuple[str, Index]]:
    """Places in the baseline by subset; empty ones are left out."""
    rows = answered(evidence.cases, baseline.model, "none")
    found = [(subset, np.flatnonzero(evidence.cases.member(subset)[rows])) for subset in evidence.subsets]
    return [(subset, places) for subset, places in found if len(places)]


def _take(columns: Columns, places: Index) -> Columns:
    return {name: values[places] for name, values in columns.items()}


def _patients(baseline: Baseline, places: Index) -> list[str]:
    return [baseline.patients[place] for place in places]
