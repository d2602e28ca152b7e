"""Perturbations that borrow from another patient."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from harness.case import Box, Case, ImageRecord, Sentence
from harness.perturbation.base import OneByOne, not_applicable, stable_rng
from wronglung.geometry import letterbox

DRAWS = 64


@dataclass(frozen=True, slots=True)
class Donor:
    """A sentence with what must be known of its image to borrow from it."""

    patient_id: str
    image_size: tuple[int, int]
    sentence: Sentence


class DonorPool:
    """Sentences to borrow from, in the order of their ids. Holds records, never images."""

    def __init__(self, donors: Iterable[Donor]) -> None:
        self._donors = sorted(donors, key=lambda donor: donor.sentence.sentence_id)
        self._patients = {donor.patient_id for donor in self._donors}

    @classmethod
    def of(cls, records: Iterable[ImageRecord]) -> "DonorPool":
        """All sentences of a data set."""
        return cls(
            Donor(record.patient_id, (record.width, record.height), sentence)
            for record in records
            for sentence in record.sentences
        )

    def with_boxes(self) -> "DonorPool":
        """Those that have boxes to lend."""
        return DonorPool(donor for donor in self._donors if donor.sentence.boxes)

    def draw(self, patient_id: str, sentence_id: str, perturbation: str, seed: int) -> Donor | None:
        """A sentence of another patient, uniformly; None when there is no other patient."""
        if self._patients <= {patient_id}:
            return None
        rng = stable_rng(seed, perturbation, sentence_id)
        for index in rng.integers(len(self._donors), size=DRAWS):
            donor: Donor = self._donors[index]
            if donor.patient_id != patient_id:
                return donor
        others = [donor for donor in self._donors if donor.patient_id != patient_id]
        return others[int(rng.integers(len(others)))]


@dataclass(frozen=True, slots=True)
class Borrowed(OneByOne):
    """Every sentence with something of a stranger's."""

    name: str
    pool: DonorPool
    seed: int
    lend: Callable[[Case, Donor], Case]
    """The unperturbed case with what the donor gives."""

    def _case(self, record: ImageRecord, sentence: Sentence) -> Case:
        donor = self.pool.draw(record.patient_id, sentence.sentence_id, self.name, self.seed)
        if donor is None:
            return not_applicable(record, sentence, self.name, "no other patient to borrow from")
        own = Case(image=record, sentence=sentence, perturbation=self.name, text=sentence.text, boxes=sentence.boxes)
        return dataclasses.replace(self.lend(own, donor), donor_id=donor.sentence.sentence_id)


def random_sentences(pool: DonorPool, seed: int) -> Borrowed:
    """`random_sentences`: the text comes from another patient's report; the boxes stay."""
    return Borrowed("random_sentences", pool, seed, _lend_text)


def random_boxes(pool: DonorPool, seed: int) -> Borrowed:
    """`random_bboxes`: the boxes come from another patient's image, at their place in the model's frame; the text
    stays. The model's input is that of `none`, so nothing is sent. Sentences without boxes lend none."""
    return Borrowed("random_bboxes", pool.with_boxes(), seed, _lend_boxes)


def _lend_text(case: Case, donor: Donor) -> Case:
    return dataclasses.replace(case, text=donor.sentence.text, spoken=donor.sentence)


def _lend_boxes(case: Case, donor: Donor) -> Case:
    boxes = carry_boxes(donor.sentence.boxes, donor.image_size, (case.image.width, case.image.height))
    return dataclasses.replace(case, boxes=boxes, sends="nothing")


def carry_boxes(boxes: Sequence[Box], donor_size: tuple[int, int], size: tuple[int, int]) -> tuple[Box, ...]:
    """Boxes of an image of `donor_size` (width, height) at the same place in the model's frame of an image of `size`.

    They may reach out of the image, where the donor's shape leaves less padding; the metrics clip them to it.
    """
    donor, own = letterbox(*donor_size), letterbox(*size)
    return tuple(Box(box.name, *own.to_original(donor.to_frame(box.xyxy)), box.mask) for box in boxes)
