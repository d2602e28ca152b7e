"""A number is found by its path, and a path that leads nowhere says where it ends."""

import math

import pytest

from harness.gate.paths import NoSuchNumber, number_at

NODE = {"mean": 0.5, "ci95": [0.4, 0.6], "n": 9, "patients": 30}
SUMMARY = {
    "dataset": {"patients": 30},
    "models": {"gloria-1.0": {"none": {"all": {"exact": {"auroc": NODE}}}}, "gloria-1": {"none": {}}},
    "opt_out": {"gloria-1.0": {"auroc": NODE | {"mean": None, "ci95": [None, None]}}},
    "failures": {"gloria-1.0": {"none": {"SENTENCE_EMPTY": 2, "TIMEOUT": 1}}},
}


def test_names_may_hold_dots():
    number = number_at(SUMMARY, "models.gloria-1.0.none.all.exact.auroc")
    assert (number.mean, number.low, number.high, number.patients) == (0.5, 0.4, 0.6, 30)
    assert str(number) == "0.5000 [0.4000, 0.6000]"


@pytest.mark.parametrize(
    ("path", "count"),
    [("failures", 3), ("failures.gloria-1.0", 3), ("failures.gloria-1.0.none", 3), ("failures.gloria-1", 0)],
)
def test_counts_are_added_up_and_exact(path, count):
    number = number_at(SUMMARY, path)
    assert (number.mean, number.low, number.high, number.patients) == (count, count, count, None)
    assert str(number) == str(count)


def test_a_number_without_an_interval_is_exact():
    assert number_at(SUMMARY, "dataset.patients").low == 30


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (
            "models.gloria-1.0.none.all.exact.aurok",
            "models.gloria-1.0.none.all.exact has no 'aurok': did you mean 'auroc'",
        ),
        ("models.gloria-1.0.none", "models.gloria-1.0.none is no number: go on with one of all"),
        ("models.gloria-1.none.all", "models.gloria-1.none has no 'all': it holds nothing"),
        ("failures.gloria-2", "failures has no 'gloria-2': did you mean"),
        ("laterality.gloria-1.lri", "summary.json has no 'laterality.gloria-1.lri'"),
        ("opt_out.gloria-1.0.auroc", "has no value"),
    ],
)
def test_a_path_that_leads_nowhere_says_where_it_ends(path, words):
    with pytest.raises(NoSuchNumber) as error:
        number_at(SUMMARY, path)
    assert words in str(error.value)


def test_a_value_that_is_not_a_number_is_none():
    broken = {"models": {"m": NODE | {"ci95": [math.nan, math.nan]}}}
    with pytest.raises(NoSuchNumber, match="has no value"):
        number_at(broken, "models.m")
