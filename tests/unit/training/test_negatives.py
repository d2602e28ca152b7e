"""Sentences about the other side as negatives of their own image: only where they are false of it."""

import pytest

from harness.case import Sentence, Triple
from harness.dataset.phantom import PhantomDataset
from harness.perturbation.swap import sides_named, swap_sides
from training.negatives import hard_negatives
from training.studies import Study
from training.truth import is_true

RECT = (0.0, 0.0, 256.0, 256.0)
LEFT, RIGHT = (Triple(f"{side} lung", "nodule", True) for side in ("left", "right"))
SICK = Triple("left lung", "abnormal", True), Triple("right lung", "abnormal", True)


def said(text: str, *triples: Triple, negated: bool = False) -> Sentence:
    return Sentence(text, text, (), triples, negated=negated, strata={"location": "side"})


def texts(sentence: Sentence, facts: set[Triple] | None) -> list[str]:
    known = None if facts is None else frozenset(facts)
    return [negative.sentence.text for negative in hard_negatives([Study("p", (sentence,), known, RECT)], [sentence])]


def test_the_other_side_is_a_negative_where_it_is_healthy() -> None:
    assert texts(said("Nodule in the left lung.", LEFT), {LEFT}) == ["Nodule in the right lung."]


def test_it_is_none_where_it_is_sick_too() -> None:
    assert texts(said("Nodule in the left lung.", LEFT), {LEFT, RIGHT}) == []


def test_a_denial_of_the_other_side_is_a_negative_only_where_it_would_be_wrong() -> None:
    denial = said("No left nodule.", Triple("left lung", "nodule", False), negated=True)
    assert texts(denial, set()) == []
    assert texts(denial, {RIGHT}) == ["No right nodule."]


@pytest.mark.parametrize("text", ["Nodules in the left and the right lung.", "There is a nodule.", "RML nodule."])
def test_a_sentence_that_does_not_name_exactly_one_side_that_has_a_counterpart_gives_none(text: str) -> None:
    assert texts(said(text, LEFT), {LEFT}) == []


@pytest.mark.parametrize("hidden", ["[MASK] in the [MASK] lung", "nodule in the [MASK] lung"])
def test_a_hidden_side_is_not_exchanged(hidden: str) -> None:
    assert texts(said(hidden, LEFT), {LEFT}) == []


def test_of_a_report_only_an_abnormal_finding_tells_that_the_other_side_is_false() -> None:
    assert texts(said("Nodule in the left lung.", LEFT, SICK[0]), None) == ["Nodule in the right lung."]
    assert texts(said("The left lung is clear.", Triple("left lung", "normal", True)), None) == []
    assert texts(said("No left nodule.", Triple("left lung", "nodule", False), negated=True), None) == []


def test_of_phantoms_every_hard_negative_is_false_and_differs_by_its_side_alone() -> None:
    dataset, found = PhantomDataset(3, "train", 12), 0
    for index in range(len(dataset)):
        phantom = dataset.study(index)
        sentences = list(phantom.record.sentences)
        study = Study("p", tuple(sentences), phantom.facts, RECT)
        for negative in hard_negatives([study] * len(sentences), sentences):
            own = sentences[negative.image]
            assert negative.sentence.text == swap_sides(own.text) != own.text
            assert len(sides_named(own.text)) == 1
            assert is_true(own, study)
            assert not is_true(negative.sentence, study)
            found += 1
    assert found > 5
