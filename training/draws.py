"""Which sentence an image is paired with."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from torch import Tensor

from harness.case import Sentence
from training.negatives import false_negatives, repeated_texts
from training.sentence_config import SentencesConfig
from training.studies import Study
from wronglung.model.errors import ModelFilesError


class SentenceDraw(Protocol):
    """Draws a sentence for one of the studies that it was made from."""

    def takes(self, study: Study) -> bool:
        """Whether it has a sentence for this study."""

    def __call__(self, study: int, rng: np.random.Generator) -> Sentence:
        """A sentence for a study that it takes, by its index."""

    def false_negatives(self, studies: Sequence[Study], sentences: Sequence[Sentence]) -> Tensor:
        """(B, B) bool: pairs off the diagonal that are no negatives (`training.negatives`)."""


class OwnSentences:
    """Any sentence of the study's own report.

    Args:
        studies: to draw for.
        abnormal_share: probability of drawing among a study's abnormal sentences, if it has any.
    """

    def __init__(self, studies: Sequence[Study], abnormal_share: float) -> None:
        self._studies, self._abnormal_share = studies, abnormal_share

    def takes(self, study: Study) -> bool:
        """Any study with a report."""
        return bool(study.sentences)

    def __call__(self, study: int, rng: np.random.Generator) -> Sentence:
        """With the given probability an abnormal one, if there is one."""
        sentences = self._studies[study].sentences
        abnormal = abnormal_sentences(self._studies[study])
        return _one_of(abnormal if abnormal and rng.random() < self._abnormal_share else sentences, rng)

    def false_negatives(self, studies: Sequence[Study], sentences: Sequence[Sentence]) -> Tensor:
        """Pairs whose sentence is true for another study."""
        return false_negatives(studies, sentences)


class AbnormalSentences:
    """A sentence of the study's own report that states an abnormal finding; studies without one are left out."""

    def __init__(self, studies: Sequence[Study]) -> None:
        self._studies = studies

    def takes(self, study: Study) -> bool:
        """A study with an abnormal sentence."""
        return bool(abnormal_sentences(study))

    def __call__(self, study: int, rng: np.random.Generator) -> Sentence:
        """Any of the abnormal ones."""
        return _one_of(abnormal_sentences(self._studies[study]), rng)

    def false_negatives(self, studies: Sequence[Study], sentences: Sequence[Sentence]) -> Tensor:
        """Pairs whose sentence is true for another study."""
        return false_negatives(studies, sentences)


class OtherReports:
    """The control: a sentence of another patient's report, drawn as `own` draws from that patient's own.

    Of all patients, not of the batch's: an image's own sentence would else be among the batch's negatives more often
    than chance has it, and teach the contrary.

    Raises:
        ModelFilesError: all studies are of one patient.
    """

    def __init__(self, studies: Sequence[Study], own: OwnSentences) -> None:
        self._own = own
        by_patient: dict[str, list[int]] = {}
        for index, study in enumerate(studies):
            if own.takes(study):
                by_patient.setdefault(study.patient_id, []).append(index)
        if len(by_patient) < 2:
            raise ModelFilesError("sentences.draw: other_report needs the reports of at least two patients")
        self._patients = list(by_patient.values())
        self._patient_of = {index: patient for patient, group in enumerate(self._patients) for index in group}

    def takes(self, study: Study) -> bool:
        """Any study with a report."""
        return self._own.takes(study)

    def __call__(self, study: int, rng: np.random.Generator) -> Sentence:
        """First another patient, then one of the patient's studies, then a sentence."""
        steps = 1 + int(rng.integers(len(self._patients) - 1))
        donors = self._patients[(self._patient_of[study] + steps) % len(self._patients)]
        return self._own(int(rng.choice(donors)), rng)

    def false_negatives(self, studies: Sequence[Study], sentences: Sequence[Sentence]) -> Tensor:
        """Sentences that read alike, whatever is true of the studies."""
        return repeated_texts(sentences)


def make_draw(config: SentencesConfig, abnormal_share: float, studies: Sequence[Study]) -> SentenceDraw:
    """What `sentences.draw` asks for.

    Raises:
        ModelFilesError: the studies do not allow it.
    """
    own = OwnSentences(studies, abnormal_share)
    match config.draw:
        case "own":
            return own
        case "abnormal":
            return AbnormalSentences(studies)
        case "other_report":
            return OtherReports(studies, own)


def abnormal_sentences(study: Study) -> tuple[Sentence, ...]:
    """Those that state an abnormal finding."""
    return tuple(sentence for sentence in study.sentences if sentence.abnormal)


def _one_of(sentences: Sequence[Sentence], rng: np.random.Generator) -> Sentence:
    return sentences[int(rng.integers(len(sentences)))]
