"""The synthetic sentence with other conditions at the same places."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from harness.case import Case, ImageRecord, Sentence, Triple
from harness.perturbation.base import OneByOne, not_applicable, stable_rng
from harness.perturbation.synthetic import NOT_ANNOTATED, write_sentences

Condition = tuple[str, bool]
"""A label, and whether it is there."""
NORMAL: Condition = ("abnormal", False)


def conditions_of(triples: Iterable[Triple]) -> dict[Condition, frozenset[str]]:
    """Every condition of a sentence, in order of first mention, with all places that it is stated of."""
    places: dict[Condition, set[str]] = {}
    for triple in triples:
        places.setdefault((triple.label, triple.context), set()).add(triple.region)
    return {condition: frozenset(regions) for condition, regions in places.items()}


class ConditionPool:
    """Which conditions occur anywhere in a data set at which set of places."""

    def __init__(self, records: Iterable[ImageRecord]) -> None:
        self._at: dict[frozenset[str], set[Condition]] = {}
        for record in records:
            for sentence in record.sentences:
                for condition, places in conditions_of(sentence.triples).items():
                    self._at.setdefault(places, set()).add(condition)

    def at(self, places: frozenset[str]) -> list[Condition]:
        """The conditions that some sentence states of exactly these places, sorted."""
        return sorted(self._at.get(places, ()))


@dataclass(frozen=True, slots=True)
class SyntheticSwappedConditions(OneByOne):
    """`synthetic_swapped_conditions`: `synthetic_sentences` with every condition replaced by another one that occurs in
    the data set at the identical set of places; the boxes stay. Compared with `synthetic_sentences`, so that only what
    is said changes, not how.

    The replacements differ from each other, speak of nothing that the sentence speaks of (nor deny it) and do not
    contradict each other. If there are none the case is not applicable.
    """

    pool: ConditionPool
    seed: int
    name: str = "synthetic_swapped_conditions"

    def _case(self, record: ImageRecord, sentence: Sentence) -> Case:
        if not sentence.triples:
            return not_applicable(record, sentence, self.name, NOT_ANNOTATED)
        others = self._others(sentence)
        if others is None:
            return not_applicable(record, sentence, self.name, "no other conditions occur at its places")
        said = [Triple(t.region, *others[t.label, t.context]) for t in sentence.triples]
        text = write_sentences(said)
        return Case(image=record, sentence=sentence, perturbation=self.name, text=text, boxes=sentence.boxes)

    def _others(self, sentence: Sentence) -> Mapping[Condition, Condition] | None:
        """Condition → what replaces it; None if not all can be replaced."""
        own = conditions_of(sentence.triples)
        subjects = {_meaning(condition)[0] for condition in own}
        rng = stable_rng(self.seed, self.name, sentence.sentence_id)
        options = []
        for places in own.values():
            found = [c for c in self.pool.at(places) if _meaning(c)[0] not in subjects]
            options.append([found[i] for i in rng.permutation(len(found))])
        chosen = choose(options)
        return None if chosen is None else dict(zip(own, chosen, strict=True))


def choose(options: Sequence[Sequence[Condition]]) -> tuple[Condition, ...] | None:
    """One of each of the options, the first that go together; None if none do.

    Each is taken only if the rest can still be chosen, so nothing that was taken is ever given back: a sentence of many
    conditions takes no longer than its options allow.
    """
    chosen: tuple[Condition, ...] = ()
    for i in range(len(options)):
        found = next((c for c in _without_clash(options[i], chosen) if _can_end(options[i + 1 :], (*chosen, c))), None)
        if found is None:
            return None
        chosen = *chosen, found
    return chosen


def _without_clash(options: Iterable[Condition], chosen: Sequence[Condition]) -> list[Condition]:
    return [condition for condition in options if not any(_clash(condition, other) for other in chosen)]


def _can_end(options: Sequence[Sequence[Condition]], chosen: Sequence[Condition]) -> bool:
    """Whether one of each of the options goes together with each other and with what is chosen.

    "Nothing is abnormal" goes with denials alone: so either it is not taken, or all are denials.
    """
    meanings = [{_meaning(condition) for condition in _without_clash(each, chosen)} for each in options]
    without_normal = [{subject for subject, _ in each - {NORMAL}} for each in meanings]
    denials = [{subject for subject, there in each if not there} for each in meanings]
    return _all_differ(without_normal) or _all_differ(denials)


def _all_differ(choices: Sequence[Set[str]]) -> bool:
    """Whether each can have one of its choices that no other has (augmenting paths, one for each)."""
    taken: dict[str, int] = {}

    def place(i: int, tried: set[str]) -> bool:
        for choice in choices[i]:
            if choice in tried:
                continue
            tried.add(choice)
            if choice not in taken or place(taken[choice], tried):
                taken[choice] = i
                return True
        return False

    return all(place(i, set()) for i in range(len(choices)))


def _clash(one: Condition, other: Condition) -> bool:
    """Whether both are about the same, or one says that nothing is abnormal and the other that something is there."""
    pair = _meaning(one), _meaning(other)
    return pair[0][0] == pair[1][0] or (NORMAL in pair and any(there for _, there in pair))


def _meaning(condition: Condition) -> Condition:
    """ "normal" is the absence of "abnormal"."""
    label, there = condition
    return (NORMAL[0], not there) if label == "normal" else condition
