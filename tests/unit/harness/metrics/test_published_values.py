"""Profile `paper` gives the numbers of the code published with arXiv 2210.06565."""

import json
import math

import numpy as np
import pytest

from harness.metrics import score
from tests.shared import shared_path

CASES = 40
TOLERANCE = 1e-6
OUR_NAMES = {"attn_entropy": "entropy", "no_attn_weight": "opt_out_mass"}


def our_name(published):
    """``precision_at_0.050000`` → ``precision_at_5``."""
    name, _, fraction = published.partition("_at_")
    return f"{name}_at_{round(float(fraction) * 100)}" if fraction else OUR_NAMES.get(name, name)


@pytest.fixture(scope="module")
def cases():
    cases = json.loads(shared_path("golden/paper_metrics.json").read_text())
    assert len(cases) == CASES
    return cases


@pytest.fixture(scope="module")
def ours(cases):
    maps = np.load(shared_path("golden/paper_metrics_maps.npy"))
    return score(maps, [case["boxes"] for case in cases], profile="paper")


@pytest.mark.parametrize("number", range(CASES))
def test_a_published_case_is_reproduced(number, cases, ours):
    published = {name: value for name, value in cases[number]["metrics"].items() if name != "error"}
    expected = {our_name(name): math.nan if value is None else value for name, value in published.items()}
    found = {name: ours[name][number] for name in expected}
    assert found == pytest.approx(expected, abs=TOLERANCE, nan_ok=True)


def test_the_published_opt_out_mass_is_reproduced_to_the_last_bit(cases, ours):
    published = [case["metrics"].get("no_attn_weight", np.nan) for case in cases]
    valid = ~np.isnan(published)
    assert (ours["opt_out_mass"][valid] == np.array(published)[valid]).all()


def test_what_is_reproduced_is_every_metric_of_the_profile(cases, ours):
    complete = next(case["metrics"] for case in cases if "error" not in case["metrics"])
    assert {our_name(name) for name in complete} == set(ours)


def test_where_the_published_code_raises_every_metric_is_defined(cases, ours):
    raising = [i for i, case in enumerate(cases) if "error" in case["metrics"]]
    assert raising
    for values in ours.values():
        assert np.isfinite(values[raising]).all()
    uniform = [i for i in raising if cases[i]["kind"] == "uniform"]
    assert ours["entropy"][uniform] == pytest.approx(math.log(361), abs=TOLERANCE)
    assert ours["auroc"][uniform] == pytest.approx(0.5, abs=1e-12)
    assert (ours["opt_out_mass"][uniform] == 0).all()
