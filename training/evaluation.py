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
from harness.statistics import Delta, Interval, mean_intervals, paired_deltas
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
    """One metric of one perturbation over one subset, with 95 % intervals over patients."""

    mean: Interval
    """Of the perturbed sentences' maps (profile exact), where the same sentences unperturbed have a value too."""
    delta: Delta
    """Their change against the same sentences unperturbed."""


Outcomes = dict[str, dict[str, dict[str, Outcome]]]
"""metric → perturbation → subset → outcome"""


class Scores(NamedTuple):
    """A model's values on N sentences; NaN: not applicable, failed, or null."""

    values: dict[str, dict[str, npt.NDArray[np.float64]]]
    """metric → perturbation → (N,)"""
    subsets: dict[str, npt.NDArray[np.bool_]]
    """subset → (N,): whether a sentence is one of it."""
    patients: list[str]
    """(N,) patient ids."""

    def pair(
        self, metric: str, perturbation: str, subset: str
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """(N,) perturbed sentences' values, and those before; NaN in both unless in the subset and both are known."""
        after, before = (self.values[metric][name] for name in (perturbation, UNPERTURBED))
        kept = self.subsets[subset] & ~np.isnan(after) & ~np.isnan(before)
        return np.where(kept, after, np.nan), np.where(kept, before, np.nan)

    def outcomes(self) -> Outcomes:
        """Every mean and change with its interval, by the resamples that `harness run` draws for these patients."""
        keys = [(metric, name, subset) for metric in METRICS for name in PERTURBATIONS for subset in SUBSETS]
        pairs = {"/".join(key): self.pair(*key) for key in keys}
        after, before = ({name: pair[side] for name, pair in pairs.items()} for side in (0, 1))
        means, deltas = mean_intervals(after, self.patients), paired_deltas(after, before, self.patients)
        found: Outcomes = {metric: {name: {} for name in PERTURBATIONS} for metric in METRICS}
        for key in keys:
            metric, name, subset = key
            found[metric][name][subset] = Outcome(means["/".join(key)], deltas["/".join(key)])
        return found


def evaluate(model: AlignmentModel, dataset: Dataset, *, seed: int = 0) -> Scores:
    """Score a model on every sentence of a data set, unperturbed, with sides swapped, and with random sentences.

    An image that cannot be read has no values; it is told on stderr.
    """
    perturbations = make_perturbations(PERTURBATIONS, dataset, seed)
    findings = Findings()
    scored = [_score_record(model, record, perturbations, findings) for record in dataset]
    if findings.left_out:
        sys.stderr.write("\n".join([f"{dataset.name}, while it was evaluated:", *findings.lines(), ""]))
    return _joined(scored)


def _score_record(
    model: AlignmentModel, record: ImageRecord, perturbations: Sequence[Perturbation], findings: Findings
) -> Scores:
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
    return Scores(values, subsets, [record.patient_id] * len(record.sentences))


def watch_maps(model: Path, device: torch.device, dataset: Dataset) -> dict[str, float]:
    """Evaluate the model in a folder on abnormal sentences, for the log.

    Returns:
        `WATCHED`: mean AUROC, mean pointing, and the change in pointing when sides are exchanged.
    """
    scores = evaluate(load_model(model, str(device)), dataset)

    def mean(metric: str, perturbation: str) -> float:
        return _mean(scores.pair(metric, perturbation, "abnormal")[0])

    after, before = scores.pair("pointing", SWAPPED, "abnormal")
    figures = mean("auroc", UNPERTURBED), mean("pointing", UNPERTURBED), _mean(after - before)
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


def _joined(scored: Sequence[Scores]) -> Scores:
    """The sentences of several images, one after the other."""
    values = {
        metric: {name: np.concatenate([each.values[metric][name] for each in scored]) for name in PERTURBATIONS}
        for metric in METRICS
    }
    subsets = {name: np.concatenate([each.subsets[name] for each in scored]) for name in SUBSETS}
    return Scores(values, subsets, [patient for each in scored for patient in each.patients])


def _mean(values: npt.NDArray[np.float64]) -> float:
    """Of those that are known; NaN where none is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
