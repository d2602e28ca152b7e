"""Subsets are decided on the unperturbed sentence."""

import dataclasses

import pytest

from harness.subsets import SubsetError, check_subsets, make_subsets
from tests.harness_fakes import LEFT_LUNG, RIGHT_LUNG, record, sentence


def members(name, *sentences, **strata):
    image = dataclasses.replace(record(0, *sentences), strata=strata)
    member = make_subsets([name], [image])[name]
    return [s.sentence_id for s in image.sentences if member(image, s)]


SENTENCES = (
    sentence("right", "Opacity on the right.", RIGHT_LUNG),
    sentence("both", "Opacities.", RIGHT_LUNG, LEFT_LUNG),
    sentence("clear", "The left lung is clear.", LEFT_LUNG, context=False),
)


def test_all_is_everything():
    assert members("all", *SENTENCES) == ["right", "both", "clear"]


def test_abnormal_states_an_abnormal_finding():
    assert members("abnormal", *SENTENCES) == ["right", "both"]


def test_one_lung_has_boxes_of_exactly_one_lung():
    assert members("one_lung", *SENTENCES) == ["right", "clear"]


def test_a_stratum_is_a_label_of_the_sentence_or_else_of_the_image():
    labelled = dataclasses.replace(SENTENCES[0], strata={"location": "none"})
    assert members("location=none", labelled, SENTENCES[1]) == ["right"]
    assert members("location=none", labelled, SENTENCES[1], location="none") == ["right", "both"]


@pytest.mark.parametrize("name", ["abnormel", "=x", "x="])
def test_an_unknown_subset_is_named(name):
    with pytest.raises(ValueError, match=f"unknown subset '{name}'"):
        make_subsets([name], [])


def test_an_unknown_value_of_a_stratum_is_named_with_the_nearest():
    with pytest.raises(SubsetError, match="unknown value of 'side=lefft': did you mean 'left'"):
        make_subsets(["side=lefft"], [])


def test_a_users_own_subset_is_an_expression_by_its_name():
    subsets = make_subsets(["all", {"sure": "one_lung and not negated"}], [])
    image = record(0, *SENTENCES)
    assert list(subsets) == ["all", "sure"]
    assert [s.sentence_id for s in SENTENCES if subsets["sure"](image, s)] == ["right"]


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ([{"all": "negated"}], "the name 'all' of an expression is taken"),
        ([{"both_sides": "negated"}], "is taken"),
        ([{"side=mine": "negated"}], "is not made of letters"),
        ([{"mine": "sidee == 'left'"}], "subset 'mine': column 1"),
        (["all", "all"], "names 'all' twice"),
        (["abnormal", {"mine": "negated", "abnormal": "negated"}], "names 'abnormal' twice"),
    ],
)
def test_a_wrong_choice_is_named(chosen, words):
    with pytest.raises(SubsetError, match=words):
        check_subsets(chosen)


def test_the_most_diverse_reports_are_found_in_the_whole_data_set():
    twins = [
        record(i, sentence(f"a{i}", "One.", LEFT_LUNG), sentence(f"b{i}", "Two.", LEFT_LUNG)) for i in range(1, 10)
    ]
    diverse = record(0, sentence("a0", "One.", LEFT_LUNG), sentence("b0", "Two.", RIGHT_LUNG))
    member = make_subsets(["most_diverse_report_bboxes"], [*twins, diverse])["most_diverse_report_bboxes"]
    assert [r.image_id for r in [*twins, diverse] if all(member(r, s) for s in r.sentences)] == ["image0"]
