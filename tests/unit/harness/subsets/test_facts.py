"""What is known of any sentence, from its words and boxes alone."""

import dataclasses
import re

import pytest

from harness.case import Box, Sentence
from harness.dataset.phantom import PhantomDataset
from harness.subsets.facts import BY_NAME, FACTS, box_share, negated
from harness.subsets.words import denies, names_a_place, side_of_words
from tests.harness_fakes import LEFT_LUNG, RIGHT_LUNG, record, sentence


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("Opacity in the right lung.", "right"),
        ("LLL collapse.", "left"),
        ("Nodule in the RML.", "right"),
        ("Effusions, right greater than left.", "both"),
        ("Bilateral effusions.", "both"),
        ("Bibasilar atelectasis, worse on the left.", "both"),
        ("There is a nodule.", "none"),
        ("Upright film.", "none"),
    ],
)
def test_the_side_is_that_of_the_words(text, side):
    assert side_of_words(text) == side


@pytest.mark.parametrize(
    "text", ["There is a nodule.", "No pleural effusion.", "New lung nodule.", "A pacemaker is seen."]
)
def test_a_sentence_without_a_place_is_location_free(text):
    assert not names_a_place(text)


@pytest.mark.parametrize(
    "text", ["Left nodule.", "Apical scarring.", "The lungs are clear.", "Cardiomegaly.", "Widened mediastinum.", "RML"]
)
def test_a_side_a_part_or_an_organ_is_a_place(text):
    assert names_a_place(text)


@pytest.mark.parametrize(
    "text", ["No effusion.", "There is no edema.", "Without collapse.", "Lungs are free of edema."]
)
def test_words_deny(text):
    assert denies(text)


@pytest.mark.parametrize(
    "text", ["There is edema.", "No significant interval change.", "The tube is no longer high.", "Nodule."]
)
def test_other_words_do_not(text):
    assert not denies(text)


def test_the_data_sets_word_on_negation_comes_before_the_words():
    affirmed = sentence("s", "No change of the left effusion.", LEFT_LUNG, label="pleural effusion")
    assert not negated(affirmed)
    assert negated(dataclasses.replace(affirmed, negated=True))
    assert negated(sentence("s", "Clear.", LEFT_LUNG, label="pleural effusion", context=False))
    assert negated(Sentence("s", "No effusion.", ()))


def test_the_box_share_is_that_of_the_union_inside_the_frame():
    """A square image of 256 pixels is cropped to 224 by 16 pixels on each side."""
    study = dataclasses.replace(record(0), width=256, height=256)

    def share(*boxes):
        return box_share(study, sentence("s", "Text.", *boxes))

    assert share() == 0
    assert share(Box("all", 0, 0, 256, 256)) == pytest.approx(1)
    half = Box("half", 0, 0, 128, 256)
    assert share(half) == pytest.approx(0.5)
    assert share(half, Box("same", 16, 16, 128, 240)) == pytest.approx(0.5)
    assert share(Box("outside", 0, 0, 16, 256)) == 0


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.name)
def test_every_fact_keeps_its_declared_kind_and_values(fact):
    kinds = {"truth": bool, "number": (int, float), "word": str, "words": frozenset}
    study = record(0, sentence("a", "Left and right.", RIGHT_LUNG, LEFT_LUNG), Sentence("b", "x", ()))
    for s in study.sentences:
        value = fact.of(study, s)
        assert isinstance(value, kinds[fact.kind])
        assert not fact.values or value in fact.values


def test_the_words_of_phantom_reports_name_what_the_phantom_labels():
    """A finding placed by a side, a zone or both lungs names a place; one without a location does not. The heart, the
    hila and the diaphragm are places themselves, and two adjectives of findings name a place."""
    own_place = ("enlarged cardiac silhouette", "enlarged hilum", "elevated hemidiaphragm")
    placing = re.compile("apical|perihilar", re.IGNORECASE)
    checked = 0
    for study in PhantomDataset(seed=3, patients=40):
        for s in study.sentences:
            labels = {triple.label for triple in s.triples}
            if s.strata["finding"] == "device" or "normal" in labels or labels & set(own_place):
                continue
            placed = s.strata["location"] != "none" or placing.search(s.text) is not None
            assert BY_NAME["location_free"].of(study, s) != placed, s.text
            assert BY_NAME["negated"].of(study, s) == s.negated
            checked += 1
    assert checked > 100
