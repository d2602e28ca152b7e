"""Which sentences are true of which image: the pairs off a batch's diagonal that are no negatives.

Of a phantom everything is known (`Study.facts`): a sentence is true of it or false. Of a patient only the report is
known, and what it does not state is unknown. There another image's sentence counts as true only if the report says the
same: word for word, or by its annotations and the sides that it names, each finding on its own. An unknown pair stays a
negative, as in the study (arXiv 2210.06565).
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from harness.case import Sentence, Side, Triple
from harness.dataset.phantom import is_true as is_fact
from harness.meaning import ANYWHERE, meaning
from harness.perturbation.swap import sides_named
from training.studies import Study

REPORTS_VERSION = 2
"""Raised when a report confirms other sentences than before. 2: each finding on the sides that are named."""


def is_true(sentence: Sentence, study: Study) -> bool:
    """Whether a sentence is known to be true of a study."""
    return true_pairs([study], [sentence])[0][0]


def true_pairs(studies: Sequence[Study], sentences: Sequence[Sentence]) -> list[list[bool]]:
    """Whether each sentence (column) is known to be true of each study (row)."""
    said = [_said(sentence) for sentence in sentences]
    return [
        [is_fact(sentence, study.facts) for sentence in sentences]
        if study.facts is not None
        else _Report(study.sentences).confirms(said)
        for study in studies
    ]


def present(study: Study) -> frozenset[Triple]:
    """All that is known to be there: of a patient, what the report affirms."""
    if study.facts is not None:
        return study.facts
    return frozenset(triple for sentence in study.sentences for triple in sentence.triples if triple.context)


class _Said(NamedTuple):
    """What a sentence says; without annotations only its wording is known."""

    wording: str
    triples: frozenset[Triple]
    sides: frozenset[Side]


def _said(sentence: Sentence) -> _Said:
    triples, sides = meaning(sentence) or (frozenset(), frozenset())
    return _Said(_wording(sentence.text), triples, sides)


def _wording(text: str) -> str:
    """Equal for texts that differ in case, spaces and the last full stop alone."""
    return " ".join(text.lower().split()).rstrip(". ")


class _Report:
    """What a report states, and of which side."""

    def __init__(self, sentences: Sequence[Sentence]) -> None:
        self._wordings = {_wording(sentence.text) for sentence in sentences}
        self._sides: dict[Triple, set[Side]] = {}
        for sentence in sentences:
            for triple, sides in _sides(sentence):
                for stated in (triple, Triple(ANYWHERE, triple.label, triple.context)):
                    self._sides.setdefault(stated, set()).update(sides)

    def confirms(self, said: Sequence[_Said]) -> list[bool]:
        """Whether it says the same as each of several sentences."""
        return [one.wording in self._wordings or self._states(one) for one in said]

    def _states(self, said: _Said) -> bool:
        """All triples are stated, and together they are stated of the sides that the words name; one whose region has
        no side, of these sides itself. "Nodule on the left" with a box that is called "nodule" is not true where
        another nodule lies on the right, nor where something else lies on the left."""
        if not said.triples or not said.triples <= self._sides.keys():
            return False
        of_all = set().union(*(self._sides[triple] for triple in said.triples))
        each = (self._sides[triple] for triple in said.triples if not sides_named(triple.region))
        return said.sides <= of_all and all(said.sides <= sides for sides in each)


def _sides(sentence: Sentence) -> Iterator[tuple[Triple, frozenset[Side]]]:
    """Each triple, and the sides that the sentence states it of.

    Where left and right are named and several regions have no side, nobody knows which of them is meant by which word:
    then such a region has none.
    """
    named, regions = sides_named(sentence.text), {triple.region for triple in sentence.triples}
    without = [region for region in regions if not sides_named(region)]
    unclear = len(named) > 1 and len(without) > 1
    for triple in sentence.triples:
        yield triple, frozenset() if unclear and triple.region in without else named | sides_named(triple.region)
