"""The boxes of one report, dealt out again among its sentences."""

from collections import Counter
from dataclasses import dataclass

from harness.case import Case, ImageRecord, Sentence
from harness.perturbation.base import not_applicable, stable_seed


@dataclass(frozen=True, slots=True)
class ShuffleInReport:
    """`shuffle_in_report`: boxes permuted among the sentences of one image that have some; no sentence keeps its own
    set of boxes where that can be. The model's input is that of `none`, so nothing is sent."""

    seed: int
    name: str = "shuffle_in_report"

    def cases(self, record: ImageRecord) -> tuple[Case, ...]:
        """Every sentence against another sentence's boxes."""
        donors = self._deal(tuple(sentence for sentence in record.sentences if sentence.boxes))
        return tuple(self._case(record, sentence, donors.get(sentence.sentence_id)) for sentence in record.sentences)

    def _deal(self, sentences: tuple[Sentence, ...]) -> dict[str, Sentence]:
        """Sentence id → the sentence whose boxes it gets.

        Sentences in random order, but those with equal boxes together; then each takes from the one that stands as many
        places further as the largest group is long: a permutation with as few own sets as can be.
        """

        def key(sentence: Sentence) -> int:
            return stable_seed(self.seed, self.name, sentence.sentence_id)

        groups: dict[frozenset[object], int] = {}
        for sentence in sentences:
            boxes = frozenset(sentence.boxes)
            groups[boxes] = min(groups.get(boxes, key(sentence)), key(sentence))
        ordered = sorted(sentences, key=lambda s: (groups[frozenset(s.boxes)], key(s)))
        largest = max(Counter(frozenset(s.boxes) for s in sentences).values(), default=0)
        return {s.sentence_id: ordered[(i + largest) % len(ordered)] for i, s in enumerate(ordered)}

    def _case(self, record: ImageRecord, sentence: Sentence, donor: Sentence | None) -> Case:
        if donor is None:
            return not_applicable(record, sentence, self.name, "has no boxes")
        if frozenset(donor.boxes) == frozenset(sentence.boxes):
            return not_applicable(record, sentence, self.name, "no sentence with other boxes is left in the report")
        return Case(
            image=record,
            sentence=sentence,
            perturbation=self.name,
            text=sentence.text,
            boxes=donor.boxes,
            donor_id=donor.sentence_id,
            sends="nothing",
        )
