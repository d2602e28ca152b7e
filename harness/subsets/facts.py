"""What is known of any sentence of any data set: derived from its words, its boxes and what they state."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from harness.case import Box, ImageRecord, Sentence
from harness.metrics.coverage import clip, pack, union_area, whole_frame
from harness.metrics.label import exact_boxes
from harness.perturbation.swap import sides_named
from harness.subsets.words import denies, names_a_place, side_of_words
from wronglung.geometry import letterbox

Kind = Literal["truth", "number", "word", "words"]
"""truth: true or false; word: a text; words: a set of texts."""
Value = bool | float | str | frozenset[str]
SIDES = ("left", "right", "both", "none")


@dataclass(frozen=True, slots=True)
class Fact:
    """A name that expressions may use."""

    name: str
    kind: Kind
    meaning: str
    of: Callable[[ImageRecord, Sentence], Value]
    span: str = ""
    """The range of a number, with its unit."""
    values: tuple[str, ...] = ()
    """Every value that a word can have; empty if any text can be."""
    small: bool = False
    """Whether a text is in small letters, so that no other can be found in it."""


def box_share(record: ImageRecord, sentence: Sentence) -> float:
    """The share of the model's frame under the union of the sentence's boxes, in [0, 1]."""
    frame = letterbox(record.width, record.height)
    size = (frame.height, frame.width)
    area = union_area(clip(pack([exact_boxes(sentence.boxes, frame)]), whole_frame(1, size)))
    return float(area[0]) / (frame.height * frame.width)


def box_side(boxes: tuple[Box, ...]) -> str:
    """The side that the names of the boxes name, as in `SIDES`."""
    named = frozenset[str]().union(*(sides_named(box.name) for box in boxes))
    return "both" if len(named) == 2 else next(iter(named), "none")


def negated(sentence: Sentence) -> bool:
    """Whether the sentence states that something is not there: the data set says so, or a statement of it does; where
    the data set states nothing of it, its words decide."""
    if sentence.negated or not sentence.triples:
        return sentence.negated or denies(sentence.text)
    return any(not triple.context for triple in sentence.triples)


def labels(sentence: Sentence, context: bool) -> frozenset[str]:
    """The labels that the sentence states to be there, or not to be there."""
    return frozenset(triple.label for triple in sentence.triples if triple.context == context)


def word_count(sentence: Sentence) -> int:
    """Words, as blanks divide them."""
    return len(sentence.text.split())


FACTS: tuple[Fact, ...] = (
    Fact("abnormal", "truth", "The sentence states an abnormal finding.", lambda record, s: s.abnormal),
    Fact("box_count", "number", "Boxes of the sentence.", lambda record, s: len(s.boxes), span="0 … ∞"),
    Fact(
        "box_share",
        "number",
        "Share of the model's frame (padding included) under the union of the sentence's boxes.",
        box_share,
        span="0 … 1",
    ),
    Fact(
        "box_side", "word", "Side that the names of its boxes name.", lambda record, s: box_side(s.boxes), values=SIDES
    ),
    Fact("denied_labels", "words", "Labels that it states not to be there.", lambda record, s: labels(s, False)),
    Fact("labels", "words", "Labels that it states to be there.", lambda record, s: labels(s, True)),
    Fact(
        "location_free",
        "truth",
        "Its words name neither a side nor a part of the chest.",
        lambda record, s: not names_a_place(s.text),
    ),
    Fact(
        "negated",
        "truth",
        "The data set says that the sentence is negated, or it states that a label is not there; where it states no "
        "label, the words decide.",
        lambda record, s: negated(s),
    ),
    Fact(
        "one_lung",
        "truth",
        "Its boxes name exactly one of the left and the right lung.",
        lambda record, s: s.lung_side is not None,
    ),
    Fact("regions", "words", "Names of its boxes.", lambda record, s: frozenset(box.name for box in s.boxes)),
    Fact(
        "sentences_per_image",
        "number",
        "Sentences that the data set has for the image.",
        lambda record, s: len(record.sentences),
        span="1 … ∞",
    ),
    Fact(
        "side",
        "word",
        'Side that its words name; "bilateral" and "both" name both.',
        lambda record, s: side_of_words(s.text),
        values=SIDES,
    ),
    Fact(
        "text",
        "word",
        "The sentence in small letters; `in` looks for a part of it.",
        lambda record, s: s.text.lower(),
        small=True,
    ),
    Fact(
        "word_count",
        "number",
        "Words of the sentence, divided by blanks.",
        lambda record, s: word_count(s),
        span="1 … ∞",
    ),
)
BY_NAME = {fact.name: fact for fact in FACTS}
