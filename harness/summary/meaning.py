"""What a sentence says, apart from its wording: two sentences of equal meaning state the same of the same regions."""

from collections.abc import Mapping

from harness.case import Sentence, Side, Triple
from harness.perturbation.swap import sides_named

Meaning = tuple[frozenset[Triple], frozenset[Side]]


def meaning(sentence: Sentence) -> Meaning | None:
    """The sentence's triples (region, label, present or absent) and the sides that its words name.

    The sides are kept apart from the regions: "opacity in the right lung" and "opacity" with a box in the right lung
    are annotated alike, but only one of them tells the model where to look. None for a sentence without annotations:
    what it says is not known.
    """
    return (frozenset(sentence.triples), sides_named(sentence.text)) if sentence.triples else None


def meanings(sentences: Mapping[str, Sentence]) -> dict[str, Meaning | None]:
    """Sentence id → its meaning."""
    return {sentence_id: meaning(sentence) for sentence_id, sentence in sentences.items()}
