"""Which images and sentences meet in a batch, and which of their pairs are no true negatives."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from harness.case import Sentence
from training.config import AugmentConfig
from training.draws import SentenceDraw
from training.masking import Rewrite, as_written
from training.studies import Study, StudySet
from wronglung.model.config import PreprocessConfig
from wronglung.model.errors import ModelFilesError

_GREYS = np.arange(256, dtype=np.float32) / np.float32(255)


class Batch(NamedTuple):
    """B images with one sentence each; no two of the same patient."""

    frames_BHW: Tensor
    """Normalised frames."""
    studies: list[Study]
    """What is true of each image."""
    sentences: list[Sentence]
    """As the network reads them: words may be hidden."""
    false_negatives_BB: Tensor
    """bool: pairs off the diagonal that are no negatives (`training.negatives`)."""


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
        draw: which sentence an image is paired with.
        rewrite: what a training step reads in place of the sentence; validation reads it as it is.

    Raises:
        ModelFilesError: fewer patients have a sentence to draw than a batch takes.
    """

    def __init__(
        self,
        study_set: StudySet,
        preprocess: PreprocessConfig,
        batch: int,
        draw: SentenceDraw,
        rewrite: Rewrite = as_written,
    ) -> None:
        self._set = study_set
        self._preprocess = preprocess
        self._batch = batch
        self._draw, self._rewrite = draw, rewrite
        by_patient: dict[str, list[int]] = {}
        for index, study in enumerate(study_set.studies):
            if draw.takes(study):
                by_patient.setdefault(study.patient_id, []).append(index)
        self._patients = list(by_patient.values())
        if len(self._patients) < batch:
            raise ModelFilesError(
                f"schedule.batch ({batch}) takes one study per patient, but only {len(self._patients)} patients have a"
                " sentence that may be drawn: make the batch smaller, or see sentences.draw"
            )

    def training(self, rng: np.random.Generator, augment: AugmentConfig) -> Iterator[Batch]:
        """The batches of one pass over the shuffled patients, with random crops and grey levels."""
        margin = self._preprocess.longer_side - self._preprocess.crop
        for group in self._groups(rng):
            corners = rng.integers(0, margin + 1, size=(len(group), 2))
            tables = [_grey_table(augment, self._preprocess, rng) for _ in group]
            yield self._assemble(group, corners, tables, [self._rewrite(pair.sentence.text, rng) for pair in group])

    def validation(self, seed: int, rounds: int) -> Iterator[Batch]:
        """The same batches at every call: `rounds` passes over the patients, centre crop, grey levels as they are."""
        rng = np.random.default_rng(seed)
        centre = (self._preprocess.longer_side - self._preprocess.crop) // 2
        table = _normalise(_GREYS, self._preprocess)
        for _ in range(rounds):
            for group in self._groups(rng):
                corners = np.full((len(group), 2), centre)
                yield self._assemble(group, corners, [table] * len(group), [pair.sentence.text for pair in group])

    def _groups(self, rng: np.random.Generator) -> Iterator[list[_Pair]]:
        """One study of each patient, in full batches; the last patients of a pass are left out if they fill none."""
        order = rng.permutation(len(self._patients)).tolist()
        for start in range(0, len(order) - self._batch + 1, self._batch):
            studies = [int(rng.choice(self._patients[patient])) for patient in order[start : start + self._batch]]
            yield [_Pair(study, self._draw(study, rng)) for study in studies]

    def _assemble(
        self,
        group: list[_Pair],
        corners: npt.NDArray[np.int64],
        tables: list[npt.NDArray[np.float32]],
        texts: list[str],
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
            [replace(sentence, text=text) for sentence, text in zip(sentences, texts, strict=True)],
            self._draw.false_negatives(studies, sentences),
        )


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
