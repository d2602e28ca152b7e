"""Load comes by its own clock, whatever the server does."""

import asyncio
from itertools import pairwise
from statistics import mean, stdev

import pytest

from benchmarks.service.generate import arrivals, closed_loop, constant, open_loop
from wronglung.v1 import alignment_pb2 as pb

REQUESTS = [pb.AlignRequest(request_id=str(number)) for number in range(3)]


def test_arrivals_are_a_poisson_process_and_the_same_for_the_same_seed() -> None:
    moments = list(arrivals(constant(50), seconds=100, seed=1))
    gaps = [after - before for before, after in pairwise(moments)]
    assert moments == list(arrivals(constant(50), 100, 1)) != list(arrivals(constant(50), 100, 2))
    assert moments[-1] < 100
    assert mean(gaps) == pytest.approx(1 / 50, rel=0.05)
    assert stdev(gaps) == pytest.approx(1 / 50, rel=0.1)  # as long as their mean: that is what exponential means


def test_a_rate_may_change_while_they_come() -> None:
    rates = iter([10.0] * 1000 + [1000.0] * 1000)
    moments = list(arrivals(lambda: next(rates), seconds=200, seed=1))[:1900]
    gaps = [after - before for before, after in pairwise(moments)]
    assert mean(gaps[:900]) == pytest.approx(1 / 10, rel=0.1)
    assert mean(gaps[1000:]) == pytest.approx(1 / 1000, rel=0.1)


async def test_an_open_loop_does_not_wait_for_answers_and_counts_from_the_intended_moment() -> None:
    under_way, most = 0, 0

    async def slow(_: pb.AlignRequest) -> str:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.3)
        under_way -= 1
        return "OK"

    ended = await open_loop(slow, REQUESTS, rate=constant(100), seconds=0.5, seed=0)
    assert [each.intended_s for each in ended] == list(arrivals(constant(100), 0.5, 0))
    assert most > 15
    assert all(each.latency_s >= 0.3 and each.sent_s >= each.intended_s for each in ended)


async def test_a_closed_loop_has_no_more_under_way_than_callers() -> None:
    under_way, most, asked = 0, 0, []

    async def quick(request: pb.AlignRequest) -> str:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        asked.append(request.request_id)
        await asyncio.sleep(0.01)
        under_way -= 1
        return "OK"

    ended = await closed_loop(quick, REQUESTS, callers=2, seconds=0.2)
    assert most == 2
    assert asked[:4] == ["0", "1", "2", "0"]
    assert len(ended) == len(asked)
