"""Load by a clock of its own (open loop), and load by callers who wait for their answers (closed loop)."""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from benchmarks.service.calls import Call, Ended
from wronglung.v1 import alignment_pb2 as pb

Rate = Callable[[], float]
"""Events per second at this moment."""


def constant(rate: float) -> Rate:
    """The same rate at every moment."""
    return lambda: rate


def arrivals(rate: Rate, seconds: float, seed: int) -> Iterator[float]:
    """Moments of a Poisson process, in seconds from its start.

    Args:
        rate: of events; asked for as each of them comes.
        seconds: how long.
        seed: the same one gives the same moments if the rate is the same.
    """
    rng = np.random.default_rng(seed)
    moments = itertools.accumulate(iter(lambda: float(rng.exponential(1 / rate())), None))
    return itertools.takewhile(lambda moment: moment < seconds, moments)


async def open_loop(
    call: Call, requests: Sequence[pb.AlignRequest], rate: Rate, seconds: float, seed: int
) -> list[Ended]:
    """Send at the moments of `arrivals`, whatever becomes of what was sent before; wait for all to end."""
    start = time.perf_counter()
    tasks = []
    for moment, request in zip(arrivals(rate, seconds, seed), itertools.cycle(requests), strict=False):
        await asyncio.sleep(max(0.0, start + moment - time.perf_counter()))
        tasks.append(asyncio.create_task(_timed(call, request, start, moment)))
    return await asyncio.gather(*tasks)


async def closed_loop(call: Call, requests: Sequence[pb.AlignRequest], callers: int, seconds: float) -> list[Ended]:
    """So many callers, each of whom sends when the last request was answered, for so long."""
    start = time.perf_counter()
    ended: list[Ended] = []
    supply = itertools.cycle(requests)

    async def go_on() -> None:
        while (now := time.perf_counter() - start) < seconds:
            ended.append(await _timed(call, next(supply), start, now))

    await asyncio.gather(*(go_on() for _ in range(callers)))
    return ended


async def _timed(call: Call, request: pb.AlignRequest, start: float, intended_s: float) -> Ended:
    sent_s = time.perf_counter() - start
    status = await call(request)
    return Ended(intended_s, sent_s, time.perf_counter() - start, status)
