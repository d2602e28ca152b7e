"""swap_left_right: whole words and lobes change sides, nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.perturbation.swap import SwapLeftRight, SwapLeftRightPaper, sides_named, swap_sides, swap_substrings
from tests.harness_fakes import LEFT_LUNG, RIGHT_LUNG, record, sentence

SIDED = ["left", "right", "Left", "RIGHT", "left-sided", "rightward", "leftwards", "LUL", "RLL", "rll"]
PLAIN = ["upright", "bilateral", "RML", "lefty", "lung,", "RULE", "the", "cleft"]


@pytest.mark.parametrize(
    ("text", "swapped"),
    [
        ("Opacity in the left lower lobe.", "Opacity in the right lower lobe."),
        ("Left-sided effusion; LEFT base.", "Right-sided effusion; RIGHT base."),
        ("Trachea deviates rightward, not leftwards", "Trachea deviates leftward, not rightwards"),
        ("LUL and RLL, lul", "RUL and LLL, rul"),
        ("Upright film, bilateral, RML, cleft, RULE", "Upright film, bilateral, RML, cleft, RULE"),
        ("leftsided, right-sided", "rightsided, left-sided"),
        ("rıght, ſight, RİGHT", "rıght, ſight, RİGHT"),  # letters that only look alike
    ],
)
def test_whole_words_and_lobes_change_sides_and_keep_their_case(text, swapped):
    assert swap_sides(text) == swapped


@given(st.lists(st.sampled_from(SIDED + PLAIN)).map(" ".join))
def test_swapping_twice_gives_the_text_back(text):
    assert swap_sides(swap_sides(text)) == text


@given(st.text())
def test_swapping_any_text_twice_changes_no_more_than_its_case(text):
    assert swap_sides(swap_sides(text)).lower() == text.lower()


@given(st.lists(st.sampled_from(SIDED + [word for word in PLAIN if word != "RML"])).map(" ".join))
def test_swapping_mirrors_the_sides_that_are_named(text):
    mirrored = {"left": "right", "right": "left"}
    assert sides_named(swap_sides(text)) == {mirrored[side] for side in sides_named(text)}


@given(st.lists(st.sampled_from(PLAIN)).map(" ".join))
def test_text_without_a_side_stays(text):
    assert swap_sides(text) == text


def one_case(text, *boxes):
    (case,) = SwapLeftRight().cases(record(0, sentence("s", text, *boxes)))
    return case


def test_a_sentence_that_names_one_side_is_applicable_and_keeps_its_boxes():
    case = one_case("Nodule in the RUL.", RIGHT_LUNG)
    assert (case.applicable, case.text, case.boxes, case.stratum) == (True, "Nodule in the LUL.", (RIGHT_LUNG,), "")


def test_a_sentence_that_names_both_sides_is_a_stratum_of_its_own():
    case = one_case("Left effusion, right lung clear.", LEFT_LUNG)
    assert (case.applicable, case.stratum) == (True, "both_sides")


@pytest.mark.parametrize("text", ["Bilateral effusions.", "Upright film.", "Opacity in the RML.", "Right lung, RML."])
def test_where_no_other_side_can_be_named_the_case_is_not_applicable_and_says_why(text):
    case = one_case(text, RIGHT_LUNG)
    assert not case.applicable
    assert case.reason
    assert case.text == text


def test_the_published_swap_lowers_case_and_swaps_inside_words():
    assert swap_substrings("Upright film. LEFT lung.") == "upleft film. right lung."
    (case,) = SwapLeftRightPaper().cases(record(0, sentence("s", "Clear Lungs.", RIGHT_LUNG)))
    assert not case.applicable
