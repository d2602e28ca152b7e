"""The sentence written anew from what the annotations say of it: plain wording, the same content."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.case import Case, ImageRecord, Sentence, Triple
from harness.laterality import mirrored_name
from harness.perturbation.base import OneByOne, not_applicable

NOT_ANNOTATED = "has no annotations"

_SIDE = re.compile(r"\b(left|right) ")
_PLURALS = {
    "apex": "apices",
    "artery": "arteries",
    "atrium": "atria",
    "axilla": "axillae",
    "bronchus": "bronchi",
    "hemithorax": "hemithoraces",
    "hilum": "hila",
    "humerus": "humeri",
    "ribs": "ribs",
    "scapula": "scapulae",
    "structures": "structures",
}


def write_sentences(triples: Sequence[Triple]) -> str:
    """One sentence for each label, in order of first mention (arXiv 2210.06565).

    A label that is present somewhere is told with those places alone; one that is absent everywhere, without a place.
    A region that is called after its finding is no place (data that name no anatomy).
    """
    findings = {triple.label for triple in triples if triple.region == triple.label}
    told = [triple for triple in triples if triple.region == triple.label or triple.region not in findings]
    labels = dict.fromkeys(triple.label for triple in told)
    return " ".join(_write(label, [triple for triple in told if triple.label == label]) for label in labels)


def _write(label: str, triples: Sequence[Triple]) -> str:
    present = list(dict.fromkeys(triple.region for triple in triples if triple.context))
    places = present or list(dict.fromkeys(triple.region for triple in triples))
    where = list_places(places)
    if label in ("normal", "abnormal"):
        return _write_state(label, where, _verb(places), bool(present))
    if not present:
        return f"There is no {label}."
    return f"There is {label}." if places == [label] else f"There is {label} in the {where}."


def _write_state(label: str, where: str, verb: str, present: bool) -> str:
    """The label says how a place is, not what is in it."""
    if present:
        return f"The {where} {verb} {label}."
    return f"There is no abnormality in the {where}." if label == "abnormal" else f"The {where} {verb} not normal."


def _verb(places: Sequence[str]) -> str:
    """By the number of places before left and right are merged."""
    return "is" if len(places) == 1 else "are"


def list_places(places: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b, and c``; a left and a right place become one in the plural, where the first stood."""
    merged = list(dict.fromkeys(_both_sides(place) if mirrored_name(place) in places else place for place in places))
    if len(merged) < 3:
        return " and ".join(merged)
    return f"{', '.join(merged[:-1])}, and {merged[-1]}"


def _both_sides(place: str) -> str:
    *before, noun = _SIDE.sub("", place).split(" ")
    return " ".join([*before, _PLURALS.get(noun, f"{noun}s")])


@dataclass(frozen=True, slots=True)
class SyntheticSentences(OneByOne):
    """`synthetic_sentences`: the text is written from the sentence's annotations; the boxes stay."""

    name: str = "synthetic_sentences"

    def _case(self, record: ImageRecord, sentence: Sentence) -> Case:
        if not sentence.triples:
            return not_applicable(record, sentence, self.name, NOT_ANNOTATED)
        text = write_sentences(sentence.triples)
        return Case(image=record, sentence=sentence, perturbation=self.name, text=text, boxes=sentence.boxes)
