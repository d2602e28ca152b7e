"""The same statement in other words, where the data set has them."""

from dataclasses import dataclass

from harness.case import Case, ImageRecord, Sentence
from harness.perturbation.base import OneByOne, not_applicable

NO_OTHER_WORDING = "has no second wording"
SAME_WORDING = "has a second wording that is the first"


@dataclass(frozen=True, slots=True)
class Paraphrase(OneByOne):
    """`paraphrase`: the data set's second wording of a sentence; the boxes stay. What changes here, changes with the
    wording alone: the measure for every other perturbation of the text."""

    name: str = "paraphrase"

    def _case(self, record: ImageRecord, sentence: Sentence) -> Case:
        other = sentence.paraphrase
        if not other:
            return not_applicable(record, sentence, self.name, NO_OTHER_WORDING)
        if other == sentence.text:
            return not_applicable(record, sentence, self.name, SAME_WORDING)
        return Case(image=record, sentence=sentence, perturbation=self.name, text=other, boxes=sentence.boxes)
