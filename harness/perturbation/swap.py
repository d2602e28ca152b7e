"""Left becomes right and right becomes left, in the text."""

import re
from dataclasses import dataclass

from harness.case import OTHER_SIDE, Case, ImageRecord, Sentence, Side
from harness.perturbation.base import OneByOne, not_applicable

BOTH_SIDES = "both_sides"

_SIDED_WORD = re.compile(r"\b((?ai:left|right))(?=(?ai:-?sided|wards?)?\b)")
_LOBE = re.compile(r"\b((?ai:[LR]))(?=(?ai:UL|LL)\b)")
_MIDDLE_LOBE = re.compile(r"\bRML\b", re.IGNORECASE)
NO_COUNTERPART = "names the RML, which has no counterpart"


def _like(word: str, model: str) -> str:
    """`word` in the case of `model`: all capitals, first letter capital, or small."""
    if model.isupper():
        return word.upper()
    return word.capitalize() if model.istitle() else word


def swap_sides(text: str) -> str:
    """Swap the sides named by whole words (left, left-sided, leftward, LUL, LLL and their counterparts); case is kept,
    anything else ("upright", "bilateral", "RML") stays. Swapping twice gives the text back (a word in mixed case,
    "lEFT", comes back small)."""
    swapped = _SIDED_WORD.sub(lambda match: _like(OTHER_SIDE[match[0].lower()], match[0]), text)
    return _LOBE.sub(lambda match: {"L": "R", "R": "L", "l": "r", "r": "l"}[match[0]], swapped)


def names_middle_lobe(text: str) -> bool:
    """Whether the text names the RML, which only the right lung has: its side cannot be swapped."""
    return _MIDDLE_LOBE.search(text) is not None


def sides_named(text: str) -> frozenset[Side]:
    """The sides that the text names, by the same words; "RML" names the right."""
    first_letters = {match[0][0].lower() for match in (*_SIDED_WORD.finditer(text), *_LOBE.finditer(text))}
    if names_middle_lobe(text):
        first_letters.add("r")
    names: dict[str, Side] = {"l": "left", "r": "right"}
    return frozenset(names[letter] for letter in first_letters)


@dataclass(frozen=True, slots=True)
class SwapLeftRight(OneByOne):
    """`swap_left_right`: the sentence names the other side; the boxes stay.

    Applicable when exactly one side is named, before and after ("RML" has no counterpart: swapping the words around
    it would name both). A sentence that names both sides is swapped too, and summarised as a stratum of its own.
    """

    name: str = "swap_left_right"

    def _case(self, record: ImageRecord, sentence: Sentence) -> Case:
        named, swapped = sides_named(sentence.text), swap_sides(sentence.text)
        if not named:
            return not_applicable(record, sentence, self.name, "names no side")
        if names_middle_lobe(sentence.text):
            return not_applicable(record, sentence, self.name, NO_COUNTERPART)
        return Case(
            image=record,
            sentence=sentence,
            perturbation=self.name,
            text=swapped,
            boxes=sentence.boxes,
            stratum=BOTH_SIDES if len(named) == 2 else "",
        )


def swap_substrings(text: str) -> str:
    """The swap of the published study: in small letters, wherever the letters stand ("upright" becomes "upleft")."""
    return re.sub("left|right", lambda match: OTHER_SIDE[match[0]], text.lower())


@dataclass(frozen=True, slots=True)
class SwapLeftRightPaper(OneByOne):
    """`swap_left_right_paper`: the published study's swap, for comparison with its numbers."""

    name: str = "swap_left_right_paper"

    def _case(self, record: ImageRecord, sentence: Sentence) -> Case:
        swapped = swap_substrings(sentence.text)
        if swapped == sentence.text.lower():
            return not_applicable(record, sentence, self.name, "contains neither left nor right")
        return Case(image=record, sentence=sentence, perturbation=self.name, text=swapped, boxes=sentence.boxes)
