"""Which images and sentences meet in a batch, and which of their pairs are no true negatives."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from harness.case import Sentence
from training.config import AugmentConfig
from training.studies import Study, StudySet
from training.truth import true_pairs
from wronglung.model.config import PreprocessConfig

_GREYS = np.arange(256, dtype=np.float32) / np.float32(255)


class Batch(NamedTuple):
    """B images with one sentence each; no two of the same patient."""

    frames_BHW: Tensor
    """Normalised frames."""
    studies: list[Study]
    """What is true of each image."""
    sentences: list[Sentence]
    false_negatives_BB: Tensor
    """bool: pairs off the diagonal whose sentence (column) is true for the image (row)."""


class _Pair(NamedTuple):
    """A study, by its index, and one of its sentences."""

    study: int
    sentence: Sentence


class BatchSource:
    """Draws batches from a set of studies.

    Args:
        study_set: pictures and reports.
        preprocess: frame size and normalisation.
        batch: studies per batch.
        abnormal_share: probability of drawing among a study's abnormal sentences, if it has any.
    """

    def __init__(
        self,
        study_set: StudySet,
        preprocess: PreprocessConfig,
        batch: int,
        abnormal_share: float,
    ) -> None:
        self._set = study_set
        self._preprocess = preprocess
        self._batch = batch
        self._abnormal_share = abnormal_share
        by_patient: dict[str, list[int]] = {}
        for index, study in enumerate(study_set.studies):
            if study.sentences:
                by_patient.setdefault(study.patient_id, []).append(index)
        self._patients = list(by_patient.values())

    def training(self, seed: int, augment: AugmentConfig) -> Iterator[Batch]:
        """Endless batches with random crops and grey levels; patients are shuffled anew for each pass."""
        rng = np.random.default_rng(seed)
        margin = self._preprocess.longer_side - self._preprocess.crop
        while True:
            for group in self._groups(rng):
                corners = rng.integers(0, margin + 1, size=(len(group), 2))
                tables = [_grey_table(augment, self._preprocess, rng) for _ in group]
                yield self._assemble(group, corners, tables)

    def validation(self, seed: int, rounds: int) -> Iterator[Batch]:
        """The same batches at every call: `rounds` passes over the patients, centre crop, grey levels as they are."""
        rng = np.random.default_rng(seed)
        centre = (self._preprocess.longer_side - self._preprocess.crop) // 2
        table = _normalise(_GREYS, self._preprocess)
        for _ in range(rounds):
            for group in self._groups(rng):
                yield self._assemble(group, np.full((len(group), 2), centre), [table] * len(group))

    def _groups(self, rng: np.random.Generator) -> Iterator[list[_Pair]]:
        """One study of each patient, in full batches; the last patients of a pass are left out if they fill none."""
        order = rng.permutation(len(self._patients)).tolist()
        for start in range(0, len(order) - self._batch + 1, self._batch):
            studies = [int(rng.choice(self._patients[patient])) for patient in order[start : start + self._batch]]
            yield [_Pair(study, self._draw_sentence(self._set.studies[study], rng)) for study in studies]

    def _assemble(
        self,
        group: list[_Pair],
        corners: npt.NDArray[np.int64],
        tables: list[npt.NDArray[np.float32]],
    ) -> Batch:
        crop = self._preprocess.crop
        frames = [
            table[self._set.squares[pair.study, top : top + crop, left : left + crop]]
            for pair, (top, left), table in zip(group, corners.tolist(), tables, strict=True)
        ]
        studies = [self._set.studies[pair.study] for pair in group]
        sentences = [pair.sentence for pair in group]
        return Batch(
            torch.from_numpy(np.stack(frames)),
            studies,
            sentences,
            false_negatives(studies, sentences),
        )

    def _draw_sentence(self, study: Study, rng: np.random.Generator) -> Sentence:
        abnormal = [sentence for sentence in study.sentences if sentence.abnormal]
        choices = abnormal if abnormal and rng.random() < self._abnormal_share else study.sentences
        return choices[int(rng.integers(len(choices)))]


def false_negatives(studies: list[Study], sentences: list[Sentence]) -> Tensor:
    """(B, B) bool: off the diagonal, whether a sentence (column) is known to be true of a study (row)."""
    return torch.tensor(true_pairs(studies, sentences)) & ~torch.eye(len(studies), dtype=torch.bool)


def _grey_table(
    augment: AugmentConfig, preprocess: PreprocessConfig, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Normalised value of each grey level, under a random gamma, contrast and brightness."""
    gamma, contrast = rng.uniform(1 - augment.gamma, 1 + augment.gamma), rng.uniform(-1, 1) * augment.contrast
    shift = rng.uniform(-1, 1) * augment.brightness
    greys = np.clip((_GREYS**gamma - 0.5) * (1 + contrast) + 0.5 + shift, 0, 1)
    greys[0] = 0  # padding stays black
    return _normalise(greys, preprocess)


def _normalise(greys: npt.NDArray[np.float32], preprocess: PreprocessConfig) -> npt.NDArray[np.float32]:
    return ((greys - preprocess.mean) / preprocess.std).astype(np.float32)
