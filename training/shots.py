"""The few sentences with boxes of few-shot finetuning, and the batches that they make."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch

from harness.case import Sentence
from training.batches import Batch
from training.config import AugmentConfig
from training.frames import FrameCutter, Frames
from training.studies import Study, StudySet
from wronglung.model.config import PreprocessConfig
from wronglung.model.errors import ModelFilesError


class Shot(NamedTuple):
    """A sentence with boxes, and its study by index."""

    study: int
    sentence: Sentence


def draw_shots(
    studies: Iterable[Study], count: int, seed: int, accepts: Callable[[Sentence], bool], key: str
) -> list[Shot]:
    """Draw sentences with boxes among those of all studies, each with the same probability, none twice.

    The order of the studies and the seed decide which.

    Args:
        studies: to draw from.
        count: how many.
        seed: of the draw.
        accepts: whether a sentence with boxes may be drawn.
        key: of the recipe, which says how many and of whom; for the error message.

    Raises:
        ModelFilesError: there are not so many.
    """
    boxed = [
        Shot(index, sentence)
        for index, study in enumerate(studies)
        for sentence in study.sentences
        if sentence.boxes and accepts(sentence)
    ]
    if len(boxed) < count:
        raise ModelFilesError(
            f"{key}: {count} sentences with boxes are asked for, but there are only {len(boxed)} that may be drawn: ask"
            " for no more, or bring more patients"
        )
    chosen = np.random.default_rng(seed).choice(len(boxed), count, replace=False)
    return [boxed[index] for index in sorted(chosen.tolist())]


class ShotSource:
    """Batches of shots; an image may be there with several of its sentences.

    Args:
        study_set: the pictures.
        preprocess: frame size and normalisation.
        batch: shots per batch; the last batch of a pass may be smaller.
        shots: what is learned from, or looked at.
    """

    def __init__(self, study_set: StudySet, preprocess: PreprocessConfig, batch: int, shots: Sequence[Shot]) -> None:
        self._studies, self._shots, self._batch = study_set.studies, shots, batch
        self._cutter = FrameCutter(study_set.squares, preprocess)

    def training(self, rng: np.random.Generator, augment: AugmentConfig) -> Iterator[Batch]:
        """The batches of one pass in a new order, with random crops and grey levels."""
        for group in self._groups(rng.permutation(len(self._shots)).tolist()):
            yield self._batch_of(group, self._cutter.at_random([shot.study for shot in group], augment, rng))

    def validation(self) -> Iterator[Batch]:
        """Every shot once, as its image would be served."""
        for group in self._groups(range(len(self._shots))):
            yield self._batch_of(group, self._cutter.centred([shot.study for shot in group]))

    def _groups(self, order: Sequence[int]) -> Iterator[list[Shot]]:
        for start in range(0, len(order), self._batch):
            yield [self._shots[index] for index in order[start : start + self._batch]]

    def _batch_of(self, group: list[Shot], frames: Frames) -> Batch:
        return Batch(
            frames.frames_BHW,
            [self._studies[shot.study] for shot in group],
            [shot.sentence for shot in group],
            torch.zeros(len(group), len(group), dtype=torch.bool),
            frames.corners_B2,
        )
