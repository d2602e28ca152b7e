"""How well a model's maps lie where the boxes lie, and whether they follow the words: for the log and the card."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from harness.case import Case, ImageRecord
from harness.dataset.base import Dataset, Findings
from harness.metrics import score
from harness.metrics.label import exact_boxes
from harness.perturbation.base import Perturbation
from harness.perturbation.catalogue import make_perturbations
from harness.subsets import SUBSETS
from wronglung.alignment import Alignment
from wronglung.errors import ImageError
from wronglung.images import decode
from wronglung.model.engine import AlignmentModel, load_model

UNPERTURBED = "none"
SWAPPED = "swap_left_right"
PERTURBATIONS = (UNPERTURBED, SWAPPED, "random_sentences")
METRICS = ("auroc", "pointing")
"""AUROC asks whether a map covers the boxes; pointing whether it is highest inside. A map that is sharp on a finding
within a larger box scores low in the first and high in the second."""


WATCHED = ("auroc", "pointing", "pointing_change_swapped")
"""What the log shows of a model that makes maps."""


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


def evaluate(model: AlignmentModel, dataset: Dataset, *, seed: int = 0) -> Outcomes:
    """Score a model on every sentence of a data set, unperturbed, with sides swapped, and with random sentences.

    An image that cannot be read has no values; it is told on stderr.
    """
    perturbations = make_perturbations(PERTURBATIONS, dataset, seed)
    findings = Findings()
    scored = [_score_record(model, record, perturbations, findings) for record in dataset]
    if findings.left_out:
        sys.stderr.write("\n".join([f"{dataset.name}, while it was evaluated:", *findings.lines(), ""]))
    return {
        metric: {
            name: {subset: _summarise(scored, metric, name, subset) for subset in SUBSETS} for name in PERTURBATIONS
        }
        for metric in METRICS
    }


def _score_record(
    model: AlignmentModel, record: ImageRecord, perturbations: Sequence[Perturbation], findings: Findings
) -> _Scored:
    cases = {perturbation.name: perturbation.cases(record) for perturbation in perturbations}
    texts = list(dict.fromkeys(case.text for group in cases.values() for case in group))
    try:
        alignment = model.align([decode(record.load())], [texts])[0]
        scores = {name: _score(alignment, texts, group) for name, group in cases.items()}
    except (ImageError, OSError) as error:
        findings.leave_out("image_unreadable", record.image_id, str(error))
        nothing = np.full(len(record.sentences), np.nan)
        scores = {name: dict.fromkeys(METRICS, nothing) for name in cases}
    values = {metric: {name: found[metric] for name, found in scores.items()} for metric in METRICS}
    subsets = {
        name: np.array([member(record, sentence) for sentence in record.sentences], np.bool_)
        for name, member in SUBSETS.items()
    }
    return _Scored(values, subsets)


def watch_maps(model: Path, device: torch.device, dataset: Dataset) -> dict[str, float]:
    """Evaluate the model in a folder on abnormal sentences, for the log.

    Returns:
        `WATCHED`: mean AUROC, mean pointing, and the change in pointing when sides are exchanged.
    """
    outcomes = evaluate(load_model(model, str(device)), dataset)
    pointing = outcomes["pointing"]
    swapped = pointing[SWAPPED]["abnormal"].delta
    figures = outcomes["auroc"][UNPERTURBED]["abnormal"].mean, pointing[UNPERTURBED]["abnormal"].mean, swapped
    return dict(zip(WATCHED, figures, strict=True))


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
