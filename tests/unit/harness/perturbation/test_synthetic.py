"""synthetic_sentences: the text is written from the annotations."""

import dataclasses

import pytest

from harness.case import Triple
from harness.perturbation.synthetic import SyntheticSentences, list_places, write_sentences
from tests.harness_fakes import LEFT_LUNG, RIGHT_LUNG, record, sentence


def triples(*statements):
    """("region", "label", "yes" or "no") each."""
    return [Triple(region, label, context == "yes") for region, label, context in statements]


@pytest.mark.parametrize(
    ("places", "words"),
    [
        (["spine"], "spine"),
        (["left lung"], "left lung"),
        (["spine", "left clavicle"], "spine and left clavicle"),
        (["spine", "trachea", "left lung"], "spine, trachea, and left lung"),
        (["left lung", "right lung"], "lungs"),
        (["right lung", "spine", "left lung"], "lungs and spine"),
        (["left hilar structures", "right hilar structures"], "hilar structures"),
        (["left lower lung zone", "right lower lung zone"], "lower lung zones"),
        (["right atrium", "left atrium"], "atria"),
        (["left lung apex", "right lung apex"], "lung apices"),
        (["left clavicle", "spine", "right clavicle", "trachea"], "clavicles, spine, and trachea"),
        (["left lung", "right lower lung zone"], "left lung and right lower lung zone"),
    ],
)
def test_places_are_listed_and_the_two_sides_become_one(places, words):
    assert list_places(places) == words


@pytest.mark.parametrize(
    ("statements", "text"),
    [
        ([("left lung", "nodule", "yes")], "There is nodule in the left lung."),
        ([("left lung", "nodule", "yes"), ("right lung", "nodule", "no")], "There is nodule in the left lung."),
        ([("edema", "edema", "yes"), ("edema", "abnormal", "yes")], "There is edema."),
        ([("left lung", "nodule", "no"), ("right lung", "nodule", "no")], "There is no nodule."),
        ([("left lung", "abnormal", "yes")], "The left lung is abnormal."),
        ([("left lung", "normal", "yes"), ("right lung", "normal", "yes")], "The lungs are normal."),
        (
            [("left hilar structures", "abnormal", "no"), ("spine", "abnormal", "no")],
            "There is no abnormality in the left hilar structures and spine.",
        ),
        ([("left lung", "normal", "no")], "The left lung is not normal."),
        ([("left lung", "abnormal", "yes"), ("right lung", "abnormal", "no")], "The left lung is abnormal."),
        ([("left hilar structures", "abnormal", "yes")], "The left hilar structures is abnormal."),
    ],
)
def test_a_label_is_told_by_whether_and_where_it_is_there(statements, text):
    assert write_sentences(triples(*statements)) == text


def test_labels_follow_in_order_of_first_mention():
    said = triples(
        ("left lung", "mass", "yes"),
        ("left lung", "abnormal", "yes"),
        ("right lung", "mass", "yes"),
        ("spine", "fracture", "no"),
    )
    assert write_sentences(said) == "There is mass in the lungs. The left lung is abnormal. There is no fracture."


def test_the_text_is_new_and_the_boxes_stay():
    own = sentence("s", "A rounded nodule, right.", RIGHT_LUNG, label="nodule")
    (case,) = SyntheticSentences().cases(record(0, own))
    assert (case.text, case.boxes, case.sends) == ("There is nodule in the right lung.", (RIGHT_LUNG,), "text")


def test_without_annotations_there_is_nothing_to_write():
    bare = dataclasses.replace(sentence("s", "Follow-up.", LEFT_LUNG), triples=())
    (case,) = SyntheticSentences().cases(record(0, bare))
    assert (case.applicable, case.reason) == (False, "has no annotations")
