"""How well a model's maps lie where the boxes lie, and whether they follow the words: for the log and the card."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from harness.case import Case
from harness.dataset.phantom import PhantomDataset
from harness.metrics import score
from harness.metrics.label import exact_boxes
from harness.perturbation.catalogue import make_perturbations
from harness.subsets import SUBSETS
from wronglung.alignment import Alignment
from wronglung.model.engine import AlignmentModel

UNPERTURBED = "none"
SWAPPED = "swap_left_right"
PERTURBATIONS = (UNPERTURBED, SWAPPED, "random_sentences")
METRICS = ("auroc", "pointing")
"""AUROC asks whether a map covers the boxes; pointing whether it is highest inside. A map that is sharp on a finding
within a larger box scores low in the first and high in the second."""


class Outcome(NamedTuple):
    """One metric of one perturbation over one subset."""

    mean: float
    """Over the perturbed sentences' maps (profile exact)."""
    delta: float
    """Mean change against the same sentences unperturbed."""
    sentences: int
    """How many have both values."""


Outcomes = dict[str, dict[str, dict[str, Outcome]]]
"""metric → perturbation → subset → outcome"""


class _Scored(NamedTuple):
    """One study: metric → perturbation → values by sentence (NaN: not applicable, failed, or null), and membership per
    subset."""

    values: dict[str, dict[str, npt.NDArray[np.float64]]]
    subsets: dict[str, npt.NDArray[np.bool_]]


def evaluate(model: AlignmentModel, dataset: PhantomDataset, *, seed: int = 0) -> Outcomes:
    """Score a model on every sentence of a data set, unperturbed, with sides swapped, and with random sentences."""
    perturbations = make_perturbations(PERTURBATIONS, dataset, seed)
    scored = []
    for index in range(len(dataset)):
        study = dataset.study(index)
        cases = {perturbation.name: perturbation.cases(study.record) for perturbation in perturbations}
        texts = list(dict.fromkeys(case.text for group in cases.values() for case in group))
        alignment = model.align([study.pixels], [texts])[0]
        scores = {name: _score(alignment, texts, group) for name, group in cases.items()}
        values = {metric: {name: found[metric] for name, found in scores.items()} for metric in METRICS}
        subsets = {
            name: np.array([member(study.record, sentence) for sentence in study.record.sentences], np.bool_)
            for name, member in SUBSETS.items()
        }
        scored.append(_Scored(values, subsets))
    return {
        metric: {
            name: {subset: _summarise(scored, metric, name, subset) for subset in SUBSETS} for name in PERTURBATIONS
        }
        for metric in METRICS
    }


def _score(alignment: Alignment, texts: list[str], cases: Sequence[Case]) -> dict[str, npt.NDArray[np.float64]]:
    rows = [texts.index(case.text) for case in cases]
    frame = alignment.frame
    found = score(
        alignment.maps[rows],
        [exact_boxes(case.boxes, frame) for case in cases],
        frame_size=(frame.height, frame.width),
        opt_out=alignment.opt_out[rows],
        profile="exact",
        domains=[frame.image_rect] * len(cases),
    )
    applicable = [case.applicable for case in cases]
    return {metric: np.where(applicable, found[metric], np.nan) for metric in METRICS}


def _summarise(scored: list[_Scored], metric: str, perturbation: str, subset: str) -> Outcome:
    after, before = (
        np.concatenate([study.values[metric][name][study.subsets[subset]] for study in scored])
        for name in (perturbation, UNPERTURBED)
    )
    both = ~np.isnan(after) & ~np.isnan(before)
    if not both.any():
        return Outcome(float("nan"), float("nan"), 0)
    return Outcome(float(after[both].mean()), float((after[both] - before[both]).mean()), int(both.sum()))
