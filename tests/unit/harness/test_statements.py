"""What a sentence states of an image, and whether it is true there."""

import pytest

from harness.case import Case, Sentence
from harness.statements import class_of, is_false_of, own_class
from tests.harness_fakes import LEFT_LUNG, RIGHT_LUNG, record, sentence

SICK = sentence("sick", "Nodule on the right.", RIGHT_LUNG, label="nodule")
CLEAR = sentence("clear", "No nodule on the right.", RIGHT_LUNG, label="nodule", context=False)
OTHER = sentence("other", "Nodule on the left.", LEFT_LUNG, label="nodule")
ANYWHERE = sentence("anywhere", "A nodule is noted.", RIGHT_LUNG, label="nodule")
VAGUE = Sentence("vague", "Follow-up.", (RIGHT_LUNG,))


@pytest.mark.parametrize(
    ("said", "report", "false"),
    [
        (SICK, SICK, False),  # its own
        (SICK, CLEAR, True),  # denied there
        (SICK, OTHER, True),  # not stated there
        (CLEAR, SICK, True),  # the opposite is stated
        (CLEAR, CLEAR, False),
        (CLEAR, OTHER, False),  # nothing there speaks against it
        (ANYWHERE, OTHER, False),  # its words name no place, whatever image it was written of
        (ANYWHERE, CLEAR, True),
        (VAGUE, SICK, False),  # nothing is known of it
    ],
)
def test_a_sentence_is_false_where_the_report_does_not_bear_it_out(said, report, false):
    assert is_false_of(said, [report]) is false


@pytest.mark.parametrize(("label", "false"), [("abnormal", True), ("normal", False), ("nodule", False)])
def test_normal_is_false_only_where_the_report_says_abnormal(label, false):
    statement = sentence("fine", "The right lung is normal.", RIGHT_LUNG, label="normal")
    assert is_false_of(statement, [sentence("own", "Words.", RIGHT_LUNG, label=label)]) is false


def test_a_reports_own_sentences_are_classed_by_what_they_state():
    assert [own_class(s) for s in (SICK, CLEAR, VAGUE)] == ["own_present", "own_negated", ""]


@pytest.mark.parametrize(
    ("perturbation", "spoken", "name"),
    [
        ("none", None, "own_present"),
        ("random_sentences", OTHER, "random_false"),
        ("random_sentences", SICK, ""),  # true here, too
        ("swap_left_right", None, ""),
    ],
)
def test_a_case_is_classed_by_the_words_that_are_sent(perturbation, spoken, name):
    image = record(0, SICK)
    case = Case(image, SICK, perturbation, (spoken or SICK).text, SICK.boxes, spoken=spoken)
    assert class_of(image, case) == name
