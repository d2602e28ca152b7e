"""Families of strata divide the sentences of any data set."""

import dataclasses

import pytest

from harness.case import Sentence
from harness.subsets import SubsetError, make_subsets, ordered
from harness.subsets.catalogue import MOST_VALUES
from harness.subsets.strata import BOX_SIZES, FAMILIES, SENTENCE_COUNTS, WORD_COUNTS, Family
from tests.harness_fakes import LEFT_LUNG, RIGHT_LUNG, fake_dataset, record, sentence

DIVIDING = [family for family in FAMILIES if family.values]


@pytest.mark.parametrize("family", DIVIDING, ids=lambda family: family.name)
def test_every_sentence_has_exactly_one_of_the_declared_values(family: Family):
    bare = record(99, Sentence("bare", "x", ()))
    for study in (*fake_dataset(4), bare):
        for s in study.sentences:
            values = family.of(study, s)
            assert len(values) == 1
            assert values <= set(family.values)


@pytest.mark.parametrize("bins", [BOX_SIZES, WORD_COUNTS, SENTENCE_COUNTS])
def test_bins_ascend_and_have_no_end(bins):
    limits = [limit for limit, _ in bins]
    assert limits == sorted(limits)
    assert limits[-1] == float("inf")


@pytest.mark.parametrize(
    ("words", "value"), [(1, "short"), (5, "short"), (6, "medium"), (8, "medium"), (9, "long"), (40, "long")]
)
def test_word_counts_fall_into_the_documented_bins(words, value):
    study = record(0, sentence("s", " ".join(["word"] * words), LEFT_LUNG))
    assert make_subsets([], [study], ["word_count"])[f"word_count={value}"](study, study.sentences[0])


@pytest.mark.parametrize(("count", "value"), [(1, "single"), (2, "few"), (5, "few"), (6, "many")])
def test_sentences_per_image_fall_into_the_documented_bins(count, value):
    study = record(0, *(sentence(f"s{i}", "Text.", LEFT_LUNG) for i in range(count)))
    assert make_subsets([], [study], ["sentences_per_image"])[f"sentences_per_image={value}"](study, study.sentences[0])


def test_a_family_with_declared_values_is_a_subset_for_each_of_them():
    assert list(make_subsets(["all"], [], ["side"])) == ["all", "side=left", "side=right", "side=both", "side=none"]


def test_the_labels_of_a_data_set_are_found_in_it():
    study = record(
        0,
        sentence("a", "Nodule.", LEFT_LUNG, label="nodule"),
        sentence("b", "No edema.", LEFT_LUNG, label="edema", context=False),
    )
    subsets = make_subsets([], [study], ["label", "denied_label"])
    assert list(subsets) == ["label=nodule", "denied_label=edema"]
    assert [s.sentence_id for s in study.sentences if subsets["denied_label=edema"](study, s)] == ["b"]


def test_a_family_may_be_a_label_of_the_data_set():
    studies = [dataclasses.replace(record(i), strata={"view": view}) for i, view in enumerate(["PA", "AP", "PA"])]
    subsets = make_subsets([], studies, ["view"])
    assert list(subsets) == ["view=AP", "view=PA"]
    assert subsets["view=AP"](studies[1], studies[1].sentences[0])


def test_a_family_that_no_sentence_has_is_an_error():
    with pytest.raises(SubsetError, match="no sentence or image is labelled with 'vieww'"):
        make_subsets([], fake_dataset(2), ["vieww"])


def test_a_family_of_too_many_values_is_an_error_that_says_what_to_write():
    studies = [dataclasses.replace(record(i), strata={"key": f"value {i}"}) for i in range(MOST_VALUES + 1)]
    with pytest.raises(SubsetError, match="name those that you want as key=value"):
        make_subsets([], studies, ["key"])


def test_subsets_come_in_the_order_of_the_run_file_and_then_of_the_families():
    found = ["view=PA", "box_size=large", "side=right", "all", "box_size=small", "side=left", "mine"]
    assert ordered(["mine", {"other": "negated"}, "all"], found) == (
        *("mine", "other", "all", "side=left", "side=right", "box_size=small", "box_size=large", "view=PA"),
    )


def test_the_boxes_decide_the_size_of_the_boxes():
    study = record(0, sentence("one", "A.", RIGHT_LUNG), sentence("both", "B.", RIGHT_LUNG, LEFT_LUNG))
    subsets = make_subsets(["box_size=large"], [study])
    assert [s.sentence_id for s in study.sentences if subsets["box_size=large"](study, s)] == ["one", "both"]
