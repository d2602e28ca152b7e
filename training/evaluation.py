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
PERTURBATIONS = (UNPERTURBED, "swap_left_right", "random_sentences")


class Outcome(NamedTuple):
    """One perturbation over one subset."""

    auroc: float
    """Mean AUROC (profile exact) of the perturbed sentences' maps."""
    delta: float
    """Mean change against the same sentences unperturbed."""
    sentences: int
    """How many have both values."""


Outcomes = dict[str, dict[str, Outcome]]
"""perturbation → subset → outcome"""


class _Scored(NamedTuple):
    """One study: AUROC per perturbation and sentence (NaN: not applicable, failed, or null), membership per subset."""

    auroc: dict[str, npt.NDArray[np.float64]]
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
        auroc = {name: _auroc(alignment, texts, group) for name, group in cases.items()}
        subsets = {
            name: np.array([member(study.record, sentence) for sentence in study.record.sentences], np.bool_)
            for name, member in SUBSETS.items()
        }
        scored.append(_Scored(auroc, subsets))
    return {name: {subset: _summarise(scored, name, subset) for subset in SUBSETS} for name in PERTURBATIONS}


def _auroc(alignment: Alignment, texts: list[str], cases: Sequence[Case]) -> npt.NDArray[np.float64]:
    rows = [texts.index(case.text) for case in cases]
    frame = alignment.frame
    values = score(
        alignment.maps[rows],
        [exact_boxes(case.boxes, frame) for case in cases],
        frame_size=(frame.height, frame.width),
        opt_out=alignment.opt_out[rows],
        profile="exact",
        domains=[frame.image_rect] * len(cases),
    )["auroc"]
    return np.where([case.applicable for case in cases], values, np.nan)


def _summarise(scored: list[_Scored], perturbation: str, subset: str) -> Outcome:
    chosen = [study.subsets[subset] for study in scored]
    after = np.concatenate([s.auroc[perturbation][c] for s, c in zip(scored, chosen, strict=True)])
    before = np.concatenate([s.auroc[UNPERTURBED][c] for s, c in zip(scored, chosen, strict=True)])
    both = ~np.isnan(after) & ~np.isnan(before)
    if not both.any():
        return Outcome(float("nan"), float("nan"), 0)
    return Outcome(float(after[both].mean()), float((after[both] - before[both]).mean()), int(both.sum()))
