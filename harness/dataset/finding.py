"""Data that name a finding and no anatomy: a sentence from the name, and boxes that bear it.

A box is called after its finding, and states that the finding is there and, unless it is a device, abnormal. So the
subset `abnormal` holds such sentences, and another image's is false where the finding is not annotated.
"""

from collections.abc import Iterator

from harness.dataset.line import Lattice, SentenceBox
from harness.nouns import NUMBERS, Number, article

Place = tuple[tuple[float, float, float, float], Lattice | None]
"""A box [x0, y0, x1, y1], and its mask if it has one."""

_SINGULAR_ENDINGS = ("ss", "is", "us")
_NO_DISEASE = frozenset({"normal", "no finding", "support device", "support devices"})


def plain_name(name: str) -> str:
    """A class name as it reads within a sentence: "Nodule/Mass" → "nodule or mass", "Enlarged PA" → "enlarged PA"."""
    words = name.replace("_", " ").replace("/", " or ").split()
    return " ".join(word if sum(map(str.isupper, word)) > 1 else word.lower() for word in words)


def finding_sentence(name: str) -> str:
    """What states that a finding is there: "There is a nodule or mass.", "There is edema.", "There are …";
    nothing for a blank name."""
    noun = plain_name(name)
    if not noun:
        return ""
    number = _number(noun)
    if number == "plural":
        return f"There are {noun}."
    if noun.startswith("other "):
        return f"There is another {noun.removeprefix('other ')}."
    counted = number == "count" and not noun.startswith("no ")
    return f"There is {article(noun)} {noun}." if counted else f"There is {noun}."


def _number(noun: str) -> Number:
    """As its last word is known, else by its ending."""
    last = noun.split()[-1]
    if last.lower() in NUMBERS:
        return NUMBERS[last.lower()]
    return "plural" if last.endswith("s") and not last.endswith(_SINGULAR_ENDINGS) and not last.isupper() else "count"


def is_abnormal(name: str) -> bool:
    """Whether a finding of this name is a disease or injury: anything but a device, or nothing."""
    return plain_name(name) not in _NO_DISEASE


def finding_boxes(name: str, place: Place, *, abnormal: bool) -> Iterator[SentenceBox]:
    """A place with the finding, and with "abnormal"."""
    noun, (xyxy, mask) = plain_name(name), place
    for label in (noun, "abnormal") if abnormal else (noun,):
        yield SentenceBox(name=noun, box_xyxy=xyxy, mask=mask, label=label)
