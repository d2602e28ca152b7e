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
from harness.statistics import Delta, Interval, mean_interval, paired_delta
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
    """Of the perturbed sentences' maps (profile exact)."""
    delta: Delta
    """Their change against the same sentences unperturbed."""


Outcomes = dict[str, dict[str, dict[str, Outcome]]]
"""metric → perturbation → subset → outcome"""


class Pairs(NamedTuple):
    """K sentences with other words, and the same ones as they were written; NaN: null."""

    after: npt.NDArray[np.float64]
    """(K,) values of the sentences with other words."""
    before: npt.NDArray[np.float64]
    """(K,) as they were written."""
    patients: list[str]
    """(K,) patient ids."""


class Scores(NamedTuple):
    """A model's values on N sentences."""

    values: dict[str, dict[str, npt.NDArray[np.float64]]]
    """metric → perturbation → (N,); NaN: null. Of what was not answered it says nothing."""
    answered: dict[str, npt.NDArray[np.bool_]]
    """perturbation → (N,): whether it applies to a sentence and there is a map."""
    subsets: dict[str, npt.NDArray[np.bool_]]
    """subset → (N,): whether a sentence is one of it."""
    patients: list[str]
    """(N,) patient ids."""

    def pairs(self, metric: str, perturbation: str, subset: str) -> Pairs:
        """The sentences of a subset that were answered, each beside itself as it was written."""
        rows = np.flatnonzero(self.subsets[subset] & self.answered[perturbation])
        after, before = (self.values[metric][name][rows] for name in (perturbation, UNPERTURBED))
        return Pairs(after, before, [self.patients[row] for row in rows])

    def outcomes(self) -> Outcomes:
        """Every mean and change with its interval, by the resamples that `harness run` draws for the same sentences."""
        return {
            metric: {
                name: {subset: _outcome(self.pairs(metric, name, subset)) for subset in SUBSETS}
                for name in PERTURBATIONS
            }
            for metric in METRICS
        }


def _outcome(pairs: Pairs) -> Outcome:
    after, before, patients = pairs
    return Outcome(mean_interval(after, patients), paired_delta(after, before, patients))


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
        answered = {name: np.array([case.applicable for case in group], np.bool_) for name, group in cases.items()}
    except (ImageError, OSError) as error:
        findings.leave_out("image_unreadable", record.image_id, str(error))
        count = len(record.sentences)
        scores = {name: dict.fromkeys(METRICS, np.full(count, np.nan)) for name in cases}
        answered = dict.fromkeys(cases, np.zeros(count, np.bool_))
    values = {metric: {name: found[metric] for name, found in scores.items()} for metric in METRICS}
    subsets = {
        name: np.array([member(record, sentence) for sentence in record.sentences], np.bool_)
        for name, member in SUBSETS.items()
    }
    return Scores(values, answered, subsets, [record.patient_id] * len(record.sentences))


def watch_maps(model: Path, device: torch.device, dataset: Dataset) -> dict[str, float]:
    """Evaluate the model in a folder on abnormal sentences, for the log.

    Returns:
        `WATCHED`: mean AUROC, mean pointing, and the change in pointing when sides are exchanged.
    """
    scores = evaluate(load_model(model, str(device)), dataset)

    def mean(metric: str, perturbation: str) -> float:
        return _mean(scores.pairs(metric, perturbation, "abnormal").after)

    after, before, _ = scores.pairs("pointing", SWAPPED, "abnormal")
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
    return {metric: found[metric] for metric in METRICS}


def _joined(scored: Sequence[Scores]) -> Scores:
    """The sentences of several images, one after the other."""
    values = {
        metric: {name: np.concatenate([each.values[metric][name] for each in scored]) for name in PERTURBATIONS}
        for metric in METRICS
    }
    answered = {name: np.concatenate([each.answered[name] for each in scored]) for name in PERTURBATIONS}
    subsets = {name: np.concatenate([each.subsets[name] for each in scored]) for name in SUBSETS}
    return Scores(values, answered, subsets, [patient for each in scored for patient in each.patients])


def _mean(values: npt.NDArray[np.float64]) -> float:
    """Of those that are known; NaN where none is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
