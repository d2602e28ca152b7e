"""A gate is decided on intervals."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.gate.conditions import Gate
from harness.gate.judge import judge, told
from harness.settings import ConfigError
from tests.harness_fakes import FakeClient, align, fake_dataset
from tests.two_runs import evaluate, two_runs
from wronglung.errors import SentenceEmpty

AUROC = "models.m.none.all.exact.auroc"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Before and after, 24 patients each; the second server is worse. Not every one has a false sentence."""
    return two_runs(tmp_path_factory.mktemp("gate"), images=(48, 48))


@dataclasses.dataclass
class OneNumber:
    """A run that has one number."""

    low: float
    high: float
    patients: int = 30

    @property
    def summary(self):
        mean = (self.low + self.high) / 2
        return {"models": {"m": {"mean": mean, "ci95": [self.low, self.high], "n": 99, "patients": self.patients}}}


def verdict(run, pinned=None, *, require="shown", fewest_patients=20, **condition):
    gate = Gate.model_validate(
        {"require": require, "fewest_patients": fewest_patients, "conditions": [{"value": "models.m"} | condition]}
    )
    (found,) = judge(gate, run, pinned)
    return found


def changed(runs, path, **condition):
    return verdict(runs[1], runs[0], value="", change=path, **condition)


@pytest.mark.parametrize(
    ("bound", "outcome", "shown", "not_refuted"),
    [
        ({"at_least": 0.4}, "shown", True, True),
        ({"at_least": 0.5}, "open", False, True),
        ({"at_least": 0.6}, "open", False, True),
        ({"at_least": 0.61}, "refuted", False, False),
        ({"at_most": 0.6}, "shown", True, True),
        ({"at_most": 0.5}, "open", False, True),
        ({"at_most": 0.4}, "open", False, True),
        ({"at_most": 0.39}, "refuted", False, False),
        ({"at_least": 0.3, "at_most": 0.7}, "shown", True, True),
        ({"at_least": 0.5, "at_most": 0.7}, "open", False, True),
        ({"at_least": 0.1, "at_most": 0.3}, "refuted", False, False),
    ],
)
def test_an_interval_shows_refutes_or_leaves_open(bound, outcome, shown, not_refuted):
    run = OneNumber(0.4, 0.6)
    for require, holds in (("shown", shown), ("not_refuted", not_refuted)):
        found = verdict(run, require=require, **bound)
        assert (found.outcome, found.holds) == (outcome, holds)


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(-1, 1))
def test_what_is_shown_is_not_refuted_and_a_bound_mirrors(low, width, bound):
    run, mirrored = OneNumber(low, low + width), OneNumber(-low - width, -low)
    shown, allowed = (verdict(run, require=r, at_least=bound).holds for r in ("shown", "not_refuted"))
    assert allowed or not shown
    assert verdict(mirrored, require="shown", at_most=-bound).holds == shown
    if width == 0:
        assert shown == allowed == (low >= bound)


def test_few_patients_decide_nothing():
    for patients, decided in ((19, False), (20, True)):
        found = verdict(OneNumber(0.4, 0.6, patients), at_least=0)
        assert found.holds is decided
        assert ("fewer than 20 decide nothing" in found.reason) is not decided
    assert verdict(OneNumber(0.4, 0.6, 3), fewest_patients=3, at_least=0).holds


def test_a_number_that_is_not_there_is_broken_and_told(runs):
    found = verdict(runs[0], value="models.m.none.all.exact.aurok", at_least=0)
    assert (found.holds, found.outcome) == (False, "undecided")
    assert "did you mean 'auroc'?" in found.reason


@pytest.mark.parametrize(
    ("path", "at_least"),
    [
        (AUROC, 0.5),
        ("deltas.m.swap_left_right.one_lung.exact.auroc", -0.9),
        ("laterality.m.lri", 0.05),
        ("failures", 0),
        ("advantage.m.text_blind.all.exact.auroc", 0),
        ("opt_out.m.risk_coverage.area", 0.1),
    ],
)
def test_any_number_of_the_summary_can_be_bounded(runs, path, at_least):
    found = verdict(runs[0], value=path, at_least=at_least)
    assert found.holds, found.reason


FOLLOWED = (
    AUROC,
    "deltas.m.swap_left_right.one_lung.exact.auroc",
    "laterality.m.lri",
    "opt_out.m.auroc",
    "opt_out.m.risk_coverage.area",
)


@pytest.mark.parametrize("path", FOLLOWED)
def test_nothing_changes_from_a_run_to_itself(runs, path):
    for bound in ("at_least", "at_most"):
        found = changed((runs[0], runs[0]), path, **{bound: 0})
        assert found.outcome == "shown", found.reason


def test_a_loss_beyond_the_margin_is_refuted(runs):
    found = changed(runs, AUROC, at_least=-0.01, require="not_refuted")
    assert (found.holds, found.outcome) == (False, "refuted")
    assert changed(runs, AUROC, at_least=-0.9).outcome == "shown"
    loss = [run.summary["models"]["m"]["none"]["all"]["exact"]["auroc"]["mean"] for run in runs]
    assert f"is {loss[1] - loss[0]:.4f} [" in found.reason


def test_the_change_of_a_delta_is_how_much_more_the_metric_reacts(runs):
    before, after = (run.summary["deltas"]["m"]["swap_left_right"]["all"]["exact"]["auroc"]["mean"] for run in runs)
    found = changed(runs, "deltas.m.swap_left_right.all.exact.auroc", at_least=-2)
    assert f"is {after - before:.4f} [" in found.reason


def test_the_change_of_the_laterality_index_is_that_of_the_two_summaries(runs):
    before, after = (run.summary["laterality"]["m"]["lri"]["mean"] for run in runs)
    assert f"is {after - before:.4f} [" in changed(runs, "laterality.m.lri", at_least=-2).reason


@pytest.mark.parametrize("path", ["laterality.m.preference", "opt_out.m.auroc_of_word_count", "models.m.none"])
def test_what_cannot_be_followed_is_told(runs, path):
    found = changed(runs, path, at_least=-2)
    assert (found.holds, found.outcome) == (False, "undecided")


def test_a_gate_breaks_when_what_was_answered_fails(runs, tmp_path):
    """The sentences that are left have the same mean as before."""

    def failing(item):
        answered = align(item)
        bad = [text.startswith("The lungs") for text in item.sentences]
        errors = tuple(SentenceEmpty("nothing is left of it") if b else None for b in bad)
        return dataclasses.replace(answered, errors=errors)

    run = evaluate(tmp_path, FakeClient(failing), fake_dataset(42).records)
    found = changed((runs[0], run), AUROC, at_least=0)
    assert not found.holds
    assert "42 sentence(s) that were answered in the pinned run failed" in found.reason
    assert changed((runs[0], run), "models.m.none.one_lung.exact.auroc", at_least=0).holds


def test_a_gate_on_changes_needs_a_pinned_run(runs):
    gate = Gate.model_validate({"require": "shown", "conditions": [{"change": AUROC, "at_least": 0}]})
    with pytest.raises(ConfigError, match="name the pinned run"):
        judge(gate, runs[0])


def test_every_condition_is_told_with_its_number_and_its_reason(runs):
    gate = Gate.model_validate(
        {
            "require": "shown",
            "conditions": [{"value": "failures", "at_most": 0}, {"value": AUROC, "at_least": 0.99}],
        }
    )
    first, second, third = told(judge(gate, runs[0])).splitlines()
    assert first == "GATE BROKEN: 1 of 2 conditions"
    assert second.startswith("  holds   value failures at most 0: is 0, shown")
    assert third.startswith(f"  BROKEN  value {AUROC} at least 0.99: is 0.")
    assert third.endswith("refuted: the whole interval lies beyond a bound (it must be shown)")
