"""Families of subsets that divide the sentences of any data set: ``side=left``, ``box_size=small`` and so on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.case import ImageRecord, Sentence
from harness.subsets.facts import SIDES, box_share, labels, negated, word_count
from harness.subsets.words import names_a_place, side_of_words

NOT_MEASURED = "none"
Bins = tuple[tuple[float, str], ...]
"""(the first value that is beyond the bin, its name), ascending."""

BOX_SIZES: Bins = ((0.05, "small"), (0.20, "medium"), (float("inf"), "large"))
WORD_COUNTS: Bins = ((6, "short"), (9, "medium"), (float("inf"), "long"))
SENTENCE_COUNTS: Bins = ((2, "single"), (6, "few"), (float("inf"), "many"))
YES_NO = ("yes", "no")


@dataclass(frozen=True, slots=True)
class Family:
    """A way to divide the sentences."""

    name: str
    meaning: str
    of: Callable[[ImageRecord, Sentence], frozenset[str]]
    """The values of a sentence; more than one where it belongs to several."""
    values: Mapping[str, str]
    """Every value with what it means; empty if the data set decides which there are."""


def _bin(value: float, bins: Bins) -> frozenset[str]:
    return frozenset({next(name for limit, name in bins if value < limit)})


def _yes_no(truth: bool) -> frozenset[str]:
    return frozenset({YES_NO[not truth]})


def _box_size(record: ImageRecord, sentence: Sentence) -> frozenset[str]:
    share = box_share(record, sentence)
    return _bin(share, BOX_SIZES) if share > 0 else frozenset({NOT_MEASURED})


FAMILIES: tuple[Family, ...] = (
    Family(
        "side",
        'the side that the words name ("bilateral" and "both" name both)',
        lambda record, sentence: frozenset({side_of_words(sentence.text)}),
        dict(zip(SIDES, ("left alone", "right alone", "both sides", "no side"), strict=True)),
    ),
    Family(
        "box_size",
        "the share of the model's frame under the union of the boxes",
        _box_size,
        {
            "small": "under 5 % of the frame",
            "medium": "5 % to under 20 %",
            "large": "20 % or more",
            NOT_MEASURED: "no box in the frame",
        },
    ),
    Family(
        "location_free",
        "whether the words name neither a side nor a part of the chest",
        lambda record, sentence: _yes_no(not names_a_place(sentence.text)),
        {"yes": "no place is named", "no": "a place is named"},
    ),
    Family(
        "negated",
        "whether the sentence states that something is not there",
        lambda record, sentence: _yes_no(negated(sentence)),
        {"yes": "something is not there", "no": "nothing is denied"},
    ),
    Family(
        "word_count",
        "the number of words, divided by blanks",
        lambda record, sentence: _bin(word_count(sentence), WORD_COUNTS),
        {"short": "up to 5 words", "medium": "6 to 8 words", "long": "9 words or more"},
    ),
    Family(
        "sentences_per_image",
        "the number of sentences that the data set has for the image",
        lambda record, sentence: _bin(len(record.sentences), SENTENCE_COUNTS),
        {"single": "one sentence", "few": "2 to 5 sentences", "many": "6 sentences or more"},
    ),
    Family(
        "label",
        "each label that the sentence states to be there",
        lambda record, sentence: labels(sentence, True),
        {},
    ),
    Family(
        "denied_label",
        "each label that the sentence states not to be there",
        lambda record, sentence: labels(sentence, False),
        {},
    ),
)
BY_NAME = {family.name: family for family in FAMILIES}


def labelled(key: str) -> Family:
    """The family of a label of the data set's own: the sentence's, or else the image's."""

    def values(record: ImageRecord, sentence: Sentence) -> frozenset[str]:
        value = sentence.strata.get(key, record.strata.get(key, ""))
        return frozenset({value} - {""})

    return Family(key, "a label of the data set", values, {})


def family_of(key: str) -> Family:
    """The family of this name; names of families come before those of the data set's labels."""
    return BY_NAME.get(key) or labelled(key)


def rank(name: str) -> tuple[int, int, str]:
    """Sorts subsets of families: by family, then by value in its declared order, then by name."""
    key, _, value = name.partition("=")
    family = BY_NAME.get(key)
    if family is None:
        return len(FAMILIES), 0, name
    order = list(family.values)
    return list(BY_NAME).index(key), order.index(value) if value in order else len(order), name
