"""Which sentences are true of which study: for masking false negatives in training and for checking reports."""

from collections.abc import Set

from harness.case import Sentence, Triple

ANYWHERE = ""
"""The region of a claim that names no place ("There is a nodule.")."""


def claims(sentence: Sentence) -> frozenset[Triple]:
    """What the words themselves say: the triples, without the region where an affirmed sentence names none."""
    unplaced = sentence.strata.get("location") == "none"
    return frozenset(  # "the lungs are clear" names no side either, but speaks of both lungs
        Triple(ANYWHERE, triple.label, True) if unplaced and triple.context and triple.label != "normal" else triple
        for triple in sentence.triples
    )


def sentence_key(sentence: Sentence) -> str:
    """Equal for sentences that say the same: use it to find repeated statements in a batch."""
    lines = sorted(f"{claim.region}|{claim.label}|{'yes' if claim.context else 'no'}" for claim in claims(sentence))
    return "\n".join(lines)


def is_true(sentence: Sentence, facts: Set[Triple]) -> bool:
    """Whether everything that a sentence says holds for a study with these facts (`PhantomStudy.facts`)."""
    return all(_holds(claim, facts) for claim in claims(sentence))


def _holds(claim: Triple, facts: Set[Triple]) -> bool:
    if claim.label == "normal":
        healthy = Triple(claim.region, "abnormal", True) not in facts
        return healthy == claim.context
    if claim.region == ANYWHERE:
        present = any(fact.label == claim.label for fact in facts)
    else:
        present = Triple(claim.region, claim.label, True) in facts
    return present == claim.context
