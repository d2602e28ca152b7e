"""What a perturbation is, and where its randomness comes from."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from harness.case import Case, ImageRecord, Sentence

UNPERTURBED = "none"


class Perturbation(Protocol):
    """Makes one case of each sentence of an image, in the order of the report. Depends on nothing else but its seed
    and, where it borrows from other images, the set of all records: never on the order in which they come."""

    @property
    def name(self) -> str:
        """Key in run files and results."""

    def cases(self, record: ImageRecord) -> Sequence[Case]:
        """One case for each sentence; a sentence that it does not apply to gives a case that says why."""


def stable_seed(seed: int, perturbation: str, item_id: str) -> int:
    """128 random bits that depend on these three alone."""
    text = f"{seed}\x1f{perturbation}\x1f{item_id}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")


def stable_rng(seed: int, perturbation: str, item_id: str) -> np.random.Generator:
    """A generator whose state depends on these three alone."""
    return np.random.default_rng(stable_seed(seed, perturbation, item_id))


def not_applicable(record: ImageRecord, sentence: Sentence, perturbation: str, reason: str) -> Case:
    """A case that is never sent, with the reason why."""
    return Case(
        image=record,
        sentence=sentence,
        perturbation=perturbation,
        text=sentence.text,
        boxes=sentence.boxes,
        applicable=False,
        reason=reason,
    )


class OneByOne(ABC):
    """A perturbation that makes each case of its sentence alone, whatever else is in the report."""

    __slots__ = ()

    def cases(self, record: ImageRecord) -> tuple[Case, ...]:
        """One case for each sentence, in their order."""
        return tuple(self._case(record, sentence) for sentence in record.sentences)

    @abstractmethod
    def _case(self, record: ImageRecord, sentence: Sentence) -> Case:
        """The sentence perturbed, or why it cannot be."""


class Unperturbed(OneByOne):
    """`none`: the sentence as the report has it, against its own boxes."""

    name = UNPERTURBED

    def _case(self, record: ImageRecord, sentence: Sentence) -> Case:
        return Case(image=record, sentence=sentence, perturbation=self.name, text=sentence.text, boxes=sentence.boxes)
