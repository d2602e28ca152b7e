"""What a sentence says, apart from its wording: two sentences of equal meaning state the same of the same regions."""

import hashlib
import json

from harness.case import Sentence, Side, Triple
from harness.perturbation.swap import sides_named
from harness.subsets.words import names_a_part

ANYWHERE = ""
"""The region of a finding for which the words name no part of the chest."""

Meaning = tuple[frozenset[Triple], frozenset[Side]]


def meaning(sentence: Sentence) -> Meaning | None:
    """The sentence's triples (region, label, present or absent) and the sides that its words name.

    Of a finding that is affirmed without a place ("There is a nodule.") the region is left out: the annotator saw it in
    the image, the sentence does not say it. The sides are kept apart from the regions: "opacity in the right lung" and
    "opacity" with a box in the right lung are annotated alike, but only one of them tells the model where to look.
    None for a sentence without annotations: what it says is not known.
    """
    if not sentence.triples:
        return None
    sides, placed = sides_named(sentence.text), names_a_part(sentence.text)
    return frozenset(t if placed or not _affirms_a_finding(t) else _anywhere(t) for t in sentence.triples), sides


def _affirms_a_finding(triple: Triple) -> bool:
    return triple.context and triple.label != "normal"


def _anywhere(triple: Triple) -> Triple:
    return Triple(ANYWHERE, triple.label, triple.context)


def meaning_code(sentence: Sentence) -> int | None:
    """63 bits that stand for a sentence's meaning; None if it is not known."""
    found = meaning(sentence)
    if found is None:
        return None
    triples, sides = found
    said = [sorted((t.region, t.label, t.context) for t in triples), sorted(sides)]
    return int.from_bytes(hashlib.sha256(json.dumps(said).encode()).digest()[:8]) >> 1
