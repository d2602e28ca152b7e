"""What the campaign says it found."""

import json
import random
from collections import Counter
from dataclasses import replace

import pytest

from benchmarks.faults.campaign import Fault, plan
from benchmarks.faults.kinds import KINDS
from benchmarks.faults.report import as_json, as_markdown, broken, late
from benchmarks.faults.stage import Result

GOOD = Fault("backend killed", "", 8.0, Counter(right=90, MODEL_UNAVAILABLE=10), ())
SLOW = Fault("backend killed", "", 41.0, Counter(right=5), ())
RESULT = Result([GOOD, SLOW], 2, {}, 0, [], {"date": "today", "commit": "abc"})


def test_what_went_well_breaks_no_promise_and_a_slow_healing_is_told_not_judged() -> None:
    assert broken(RESULT) == []
    assert "| backend killed | 2 | 105 | 95 | 0 | 10 | 0 | 24.5 / 41.0 s | 40 s | 0 |" in as_markdown(RESULT)
    assert "10 `MODEL_UNAVAILABLE`" in as_markdown(RESULT)


@pytest.mark.parametrize(
    ("fault", "promise"),
    [
        (replace(GOOD, calls=Counter(right=1, wrong=1)), "backend killed: 1 wrong"),
        (replace(GOOD, calls=Counter(unanswered=2)), "backend killed: 2 unanswered"),
        (replace(GOOD, healed_s=None), "backend killed: not healthy again"),
        (replace(GOOD, left=("port 1",)), "backend killed: left port 1"),
    ],
)
def test_every_broken_promise_is_named(fault: Fault, promise: str) -> None:
    assert broken(replace(RESULT, faults=[fault])) == [promise]


def test_what_was_slow_to_heal_is_named_where_there_is_a_target() -> None:
    without_target = replace(SLOW, kind="gateway killed")
    assert late(replace(RESULT, faults=[GOOD, SLOW, without_target, replace(GOOD, healed_s=None)])) == [
        "backend killed: healthy after 41.0 s, the target is 40 s"
    ]


def test_the_end_is_judged_too() -> None:
    assert broken(replace(RESULT, exit_status=1)) == ["the server ended with status 1"]
    assert broken(replace(RESULT, left_at_the_end=["folder x"])) == ["at the end: left folder x"]
    assert broken(replace(RESULT, dead_callers=["caller 3"])) == ["died before the end: caller 3"]


def test_what_was_not_done_is_told() -> None:
    told = as_markdown(replace(RESULT, asked=5, left_out={"clock jump": "no C compiler"}))
    assert "Not done for want of time: 3 faults." in told
    assert "Left out: clock jump (no C compiler)." in told


def test_a_server_that_never_healed_is_in_the_table() -> None:
    assert "8.0 / 8.0 s, 1 never" in as_markdown(replace(RESULT, faults=[GOOD, replace(GOOD, healed_s=None)]))


def test_the_file_holds_everything() -> None:
    read = json.loads(json.dumps(as_json(RESULT)))
    assert [each["calls"] for each in read["faults"]] == [{"right": 90, "MODEL_UNAVAILABLE": 10}, {"right": 5}]
    assert read["broken"] == []
    assert read["late"] == ["backend killed: healthy after 41.0 s, the target is 40 s"]


def test_a_plan_has_as_many_of_each_kind_and_depends_on_the_seed_alone() -> None:
    plans = [plan(KINDS, 23, random.Random(seed)) for seed in (1, 1, 2)]
    assert plans[0] == plans[1] != plans[2]
    counts = Counter(kind.name for kind in plans[0])
    assert set(counts.values()) <= {2, 3}
    assert counts.total() == 23
