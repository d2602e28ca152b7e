"""Perturbations that borrow from another patient."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.case import Box, Case, ImageRecord, Sentence
from harness.perturbation.base import not_applicable, stable_rng
from wronglung.geometry import letterbox

DRAWS = 64


@dataclass(frozen=True, slots=True)
class Donor:
    """A sentence with what must be known of its image to borrow from it."""

    patient_id: str
    image_size: tuple[int, int]
    sentence: Sentence


class DonorPool:
    """All sentences of a data set, in the order of their ids. Holds records, never images."""

    def __init__(self, records: Iterable[ImageRecord]) -> None:
        donors = (
            Donor(record.patient_id, (record.width, record.height), sentence)
            for record in records
            for sentence in record.sentences
        )
        self._donors = sorted(donors, key=lambda donor: donor.sentence.sentence_id)

    def draw(self, patient_id: str, sentence_id: str, perturbation: str, seed: int) -> Donor | None:
        """A sentence of another patient, uniformly; None when there is no other patient."""
        rng = stable_rng(seed, perturbation, sentence_id)
        if not self._donors:
            return None
        for index in rng.integers(len(self._donors), size=DRAWS):
            donor: Donor = self._donors[index]
            if donor.patient_id != patient_id:
                return donor
        others = [donor for donor in self._donors if donor.patient_id != patient_id]
        return others[int(rng.integers(len(others)))] if others else None


@dataclass(frozen=True, slots=True)
class RandomSentences:
    """`random_sentences`: the text comes from another patient's report; the boxes stay."""

    pool: DonorPool
    seed: int
    name: str = "random_sentences"

    def cases(self, record: ImageRecord) -> tuple[Case, ...]:
        """Every sentence's boxes under a stranger's words."""
        return tuple(self._case(record, sentence) for sentence in record.sentences)

    def _case(self, record: ImageRecord, sentence: Sentence) -> Case:
        donor = self.pool.draw(record.patient_id, sentence.sentence_id, self.name, self.seed)
        if donor is None:
            return not_applicable(record, sentence, self.name, "no other patient in the data set")
        return Case(
            image=record,
            sentence=sentence,
            perturbation=self.name,
            text=donor.sentence.text,
            boxes=sentence.boxes,
            donor_id=donor.sentence.sentence_id,
        )


def carry_boxes(boxes: Sequence[Box], donor_size: tuple[int, int], size: tuple[int, int]) -> tuple[Box, ...]:
    """Boxes of an image of `donor_size` (width, height) at the same place in the model's frame of an image of `size`.

    They may reach out of the image, where the donor's shape leaves less padding; the metrics clip them to it.
    """
    donor, own = letterbox(*donor_size), letterbox(*size)
    return tuple(Box(box.name, *own.to_original(donor.to_frame(box.xyxy))) for box in boxes)


@dataclass(frozen=True, slots=True)
class RandomBoxes:
    """`random_bboxes`: the boxes come from another patient's image, at their place in the model's frame; the text
    stays. The model's input is that of `none`, so nothing is sent."""

    pool: DonorPool
    seed: int
    name: str = "random_bboxes"

    def cases(self, record: ImageRecord) -> tuple[Case, ...]:
        """Every sentence against a stranger's boxes."""
        return tuple(self._case(record, sentence) for sentence in record.sentences)

    def _case(self, record: ImageRecord, sentence: Sentence) -> Case:
        donor = self.pool.draw(record.patient_id, sentence.sentence_id, self.name, self.seed)
        if donor is None:
            return not_applicable(record, sentence, self.name, "no other patient in the data set")
        return Case(
            image=record,
            sentence=sentence,
            perturbation=self.name,
            text=sentence.text,
            boxes=carry_boxes(donor.sentence.boxes, donor.image_size, (record.width, record.height)),
            donor_id=donor.sentence.sentence_id,
            sends="nothing",
        )
