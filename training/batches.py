"""Which images and sentences meet in a batch, and which of their pairs are no true negatives."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from torch import Tensor

from harness.case import Sentence
from training.config import AugmentConfig
from training.draws import SentenceDraw
from training.frames import Corners, FrameCutter, Frames
from training.masking import Rewrite, as_written
from training.studies import Study, StudySet, by_patient
from wronglung.model.config import PreprocessConfig
from wronglung.model.errors import ModelFilesError


class Batch(NamedTuple):
    """B images with one sentence each."""

    frames_BHW: Tensor
    """Normalised frames."""
    studies: list[Study]
    """What is true of each image."""
    sentences: list[Sentence]
    """As the network reads them: words may be hidden."""
    false_negatives_BB: Tensor
    """bool: pairs off the diagonal that are no negatives (`training.negatives`)."""
    corners_B2: Corners
    """Where each frame was cut: boxes are in pixels of the uncut square (`training.cells`)."""


class _Pair(NamedTuple):
    """A study, by its index, and one of its sentences."""

    study: int
    sentence: Sentence


class BatchSource:
    """Draws batches from a set of studies: no two images of a batch are of the same patient.

    Args:
        study_set: pictures and reports.
        preprocess: frame size and normalisation.
        batch: studies per batch.
        draw: which sentence an image is paired with.
        rewrite: what a training step reads in place of the sentence; validation reads it as it is.
        part: of the data, "training" or "validation"; for the error message.

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
        part: str = "training",
    ) -> None:
        self._studies, self._batch = study_set.studies, batch
        self._cutter = FrameCutter(study_set.squares, preprocess)
        self._draw, self._rewrite = draw, rewrite
        self._patients = by_patient(study_set.studies, draw.takes)
        if len(self._patients) < batch:
            raise ModelFilesError(
                f"schedule.batch ({batch}) takes one study per patient, but only {len(self._patients)} {part} patients"
                " have a sentence that may be drawn: make the batch smaller, or see sentences.draw"
            )

    def training(self, rng: np.random.Generator, augment: AugmentConfig) -> Iterator[Batch]:
        """The batches of one pass over the shuffled patients, with random crops and grey levels."""
        for group in self._groups(rng):
            frames = self._cutter.at_random([pair.study for pair in group], augment, rng)
            yield self._assemble(group, frames, [self._rewrite(pair.sentence.text, rng) for pair in group])

    def validation(self, seed: int, rounds: int) -> Iterator[Batch]:
        """The same batches at every call: `rounds` passes over the patients, centre crop, grey levels as they are."""
        rng = np.random.default_rng(seed)
        for _ in range(rounds):
            for group in self._groups(rng):
                frames = self._cutter.centred([pair.study for pair in group])
                yield self._assemble(group, frames, [pair.sentence.text for pair in group])

    def _groups(self, rng: np.random.Generator) -> Iterator[list[_Pair]]:
        """One study of each patient, in full batches; the last patients of a pass are left out if they fill none."""
        order = rng.permutation(len(self._patients)).tolist()
        for start in range(0, len(order) - self._batch + 1, self._batch):
            studies = [int(rng.choice(self._patients[patient])) for patient in order[start : start + self._batch]]
            yield [_Pair(study, self._draw(study, rng)) for study in studies]

    def _assemble(self, group: list[_Pair], frames: Frames, texts: list[str]) -> Batch:
        studies = [self._studies[pair.study] for pair in group]
        sentences = [pair.sentence for pair in group]
        return Batch(
            frames.frames_BHW,
            studies,
            [replace(sentence, text=text) for sentence, text in zip(sentences, texts, strict=True)],
            self._draw.false_negatives(studies, sentences),
            frames.corners_B2,
        )
