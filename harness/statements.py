"""What a sentence states of an image, by its annotations as far as its words say them, and whether that is true there.

A statement (region, label, present) is false of an image whose own report does not make it; a statement of absence is
false where the report states the presence, and "normal" states the absence of "abnormal". Of a finding that is affirmed
without a side or a part ("There is an effusion.") the annotated region is where the other image shows it: such a
statement is true of an image whose report states the finding anywhere.
"""

from collections.abc import Iterable
from typing import Literal

from harness.case import Case, ImageRecord, Sentence, Triple
from harness.meaning import ANYWHERE, meaning
from harness.perturbation.base import UNPERTURBED

StatementClass = Literal["own_present", "own_negated", "random_false", ""]
"""The classes of the opt-out decision; empty for what takes no part in it."""


def class_of(record: ImageRecord, case: Case) -> StatementClass:
    """What a case says of its image: a sentence as written states something present (`own_present`) or only something
    absent (`own_negated`); another patient's sentence states something false (`random_false`)."""
    if case.perturbation == UNPERTURBED:
        return own_class(case.sentence)
    if case.spoken is not None and case.applicable:
        return "random_false" if is_false_of(case.spoken, record.sentences) else ""
    return ""


def own_class(sentence: Sentence) -> StatementClass:
    """The class of a report's own sentence; empty if it states nothing that is annotated."""
    contexts = {triple.context for triple in sentence.triples}
    return "own_present" if True in contexts else "own_negated" if contexts else ""


def is_false_of(sentence: Sentence, report: Iterable[Sentence]) -> bool:
    """Whether the sentence states anything that is false of the image with this report; not, if it states nothing."""
    said = meaning(sentence)
    if said is None:
        return False
    known = frozenset(triple for own in report for triple in own.triples)
    statements, _ = said
    return any(_is_false(triple, known) for triple in statements)


def _is_false(triple: Triple, known: frozenset[Triple]) -> bool:
    if triple.region == ANYWHERE:
        return all(own.label != triple.label or not own.context for own in known)
    if triple.label == "normal":  # says that there is no abnormality
        triple = Triple(triple.region, "abnormal", not triple.context)
    if triple.context:
        return triple not in known
    return Triple(triple.region, triple.label, True) in known
