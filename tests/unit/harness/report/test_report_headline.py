"""The one answer is decided from intervals, and never claims more than they show."""

from pathlib import Path

import pytest

from harness.report.headline import Sign, Verdict, answers, decide, lead, sign_of
from harness.report.reader import Estimate, read_results
from tests.report_fixture import Plan, build_results


def estimate(low: float, high: float, q: float | None = None, patients: int = 100) -> Estimate:
    return Estimate((low + high) / 2, low, high, 300, patients=patients, q=q)


FOLLOWS = estimate(0.20, 0.30)
SMALL = estimate(0.02, 0.06)
TINY = estimate(0.0001, 0.001)
STAYS = estimate(-0.02, 0.03)
UNSURE = estimate(-0.05, 0.20)
AGAINST = estimate(-0.30, -0.10)
COSTS = estimate(-0.12, -0.05, q=0.001)
COSTS_NOTHING = estimate(-0.009, 0.009, q=0.8)
COSTS_A_TRIFLE = estimate(-0.004, -0.001, q=0.01)
MAY_COST = estimate(-0.05, 0.02, q=0.3)
GAINS = estimate(0.02, 0.08, q=0.001)


@pytest.mark.parametrize(
    ("lri", "swap", "verdict"),
    [
        (FOLLOWS, COSTS, Verdict.YES),
        (SMALL, COSTS, Verdict.SLIGHTLY),
        (FOLLOWS, COSTS_NOTHING, Verdict.PARTLY),
        (UNSURE, COSTS, Verdict.PARTLY),
        (STAYS, COSTS, Verdict.PARTLY),
        (UNSURE, COSTS_NOTHING, Verdict.NOT_SHOWN),
        (STAYS, COSTS_NOTHING, Verdict.NO),
        (TINY, COSTS_NOTHING, Verdict.NO),
        (TINY, COSTS_A_TRIFLE, Verdict.NO),
        (STAYS, MAY_COST, Verdict.NO),
        (UNSURE, MAY_COST, Verdict.NOT_SHOWN),
        (FOLLOWS, COSTS_A_TRIFLE, Verdict.PARTLY),
        (None, MAY_COST, Verdict.NOT_SHOWN),
        (AGAINST, COSTS_NOTHING, Verdict.OPPOSITE),
        (AGAINST, COSTS, Verdict.OPPOSITE),
        (FOLLOWS, GAINS, Verdict.PARTLY),
        (TINY, GAINS, Verdict.NO),
        (UNSURE, GAINS, Verdict.NOT_SHOWN),
        (None, GAINS, Verdict.NOT_SHOWN),
        (FOLLOWS, None, Verdict.PARTLY),
        (None, COSTS, Verdict.PARTLY),
        (None, COSTS_NOTHING, Verdict.NO),
        (None, None, Verdict.NOT_MEASURED),
        (Estimate(None, None, None, 0), None, Verdict.NOT_MEASURED),
    ],
)
def test_the_verdict_follows_from_the_two_tests(lri: Estimate | None, swap: Estimate | None, verdict: Verdict) -> None:
    assert decide(lri, swap) is verdict


def test_few_patients_are_too_few_whatever_they_seem_to_show() -> None:
    assert decide(FOLLOWS, COSTS, few_patients=True) is Verdict.TOO_FEW
    assert decide(estimate(0.2, 0.3, patients=19), COSTS) is Verdict.TOO_FEW
    assert decide(estimate(0.2, 0.3, patients=20), COSTS) is Verdict.YES


def test_an_interval_that_touches_no_effect_shows_nothing() -> None:
    assert sign_of(estimate(-0.10, 0.0), expected=-1) is Sign.NOT_SHOWN
    assert sign_of(estimate(0.0, 0.10), expected=1) is Sign.NOT_SHOWN


def test_a_change_that_does_not_survive_the_correction_shows_nothing() -> None:
    assert sign_of(estimate(-0.10, -0.01, q=0.2), expected=-1) is Sign.NOT_SHOWN
    assert sign_of(estimate(-0.10, -0.01, q=0.04), expected=-1) is Sign.FOR


def test_an_effect_is_negligible_only_when_its_whole_interval_is() -> None:
    assert sign_of(STAYS, expected=1, negligible=0.05) is Sign.NEGLIGIBLE
    assert sign_of(estimate(-0.02, 0.06), expected=1, negligible=0.05) is Sign.NOT_SHOWN


def test_what_differs_from_nothing_by_next_to_nothing_is_negligible() -> None:
    assert sign_of(TINY, expected=1, negligible=0.05) is Sign.NEGLIGIBLE
    assert sign_of(COSTS_A_TRIFLE, expected=-1) is Sign.NEGLIGIBLE


def test_a_line_from_few_patients_claims_nothing_by_itself(tmp_path: Path) -> None:
    results = read_results(build_results(tmp_path))
    gain = results.summary["advantage"]["encoder"]["text_blind"]["all"]["exact"]["auroc"]
    gain.update(patients=2, n=3)
    line = next(e for e in answers(results)[0].evidence if "one map for all" in e.question)
    assert line.sign is Sign.TOO_FEW
    assert "from 2 patients" in line.finding


def test_each_model_gets_an_answer_with_its_numbers(tmp_path: Path) -> None:
    found = answers(read_results(build_results(tmp_path)))
    assert {a.model: a.verdict for a in found} == {"encoder": Verdict.YES, "encoder-optout": Verdict.NOT_SHOWN}
    text = " ".join(line.finding for line in found[0].evidence)
    assert "+0.240 [+0.210, +0.270]" in text
    assert "AUROC above text-blind by +0.096 [+0.066, +0.126]" in text
    assert "AUROC above image-blind, same meaning by" in text
    assert lead(found) == "encoder: yes. encoder-optout: not shown."


def test_what_is_not_shown_comes_with_the_smallest_detectable_change(tmp_path: Path) -> None:
    ignores = answers(read_results(build_results(tmp_path)))[1]
    swap = ignores.evidence[1]
    assert swap.sign is Sign.NOT_SHOWN
    assert "smallest detectable change" in swap.finding


def test_an_advantage_whose_interval_holds_zero_does_not_beat_a_control(tmp_path: Path) -> None:
    answer = answers(read_results(build_results(tmp_path, Plan(models={"encoder": 0.0}))))[0]
    line = next(e for e in answer.evidence if "one map for all" in e.question)
    assert line.finding.startswith("AUROC above text-blind by +0.006 [−0.024, +0.036]")
    assert line.sign is Sign.NOT_SHOWN


def test_a_run_without_a_swap_says_that_it_measured_nothing(tmp_path: Path) -> None:
    plan = Plan(perturbations=("none",), laterality=False, controls=False)
    answer = answers(read_results(build_results(tmp_path, plan)))[0]
    assert answer.verdict is Verdict.NOT_MEASURED
    assert {line.sign for line in answer.evidence} == {Sign.UNKNOWN}
