"""Stops, old connections and keepalive: nobody who was let in goes without an answer."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

from tests.gateway_fakes import FakeTorchServe, Job, answer, png, request, running_gateway
from tests.served_fake import behave
from wronglung.client import AlignItem, AlignmentClient
from wronglung.client.transport import channel_options
from wronglung.gateway.server import Settings
from wronglung.v1 import alignment_pb2 as pb

ITEMS = 150
REFUSALS = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED}


async def work(job: Job) -> pb.AlignStreamResponse:
    await asyncio.sleep(0.02)
    return answer(job)


async def test_a_stop_under_load_answers_everything_that_was_accepted(tmp_path: Path) -> None:
    """Callers keep calling; each call is answered, or refused in a way that says to come again. None is cut off."""
    torchserve, codes = FakeTorchServe(work), list[grpc.StatusCode]()

    async def call_on(front: Any, name: int) -> None:
        for index in range(1000):
            code = await front.stub.Align(request(f"{name}-{index}"), timeout=20).code()
            codes.append(code)
            if code is grpc.StatusCode.UNAVAILABLE:
                return

    async with running_gateway(tmp_path, torchserve) as front:
        callers = [asyncio.create_task(call_on(front, name)) for name in range(12)]
        while len(torchserve.jobs) < 60:
            await asyncio.sleep(0.01)
        await front.gateway.stop()
        worked_on = len(torchserve.jobs)
        await asyncio.gather(*callers)
    assert set(codes) <= REFUSALS | {grpc.StatusCode.OK}
    assert codes.count(grpc.StatusCode.OK) == worked_on == len(torchserve.jobs)


def items() -> Iterator[AlignItem]:
    for index in range(ITEMS):
        yield AlignItem(str(index), png(), ["The left lung is clear."])


def streamed(target: str) -> list[tuple[str, bool]]:
    """Stream all items with the shipped client; which were answered by a result."""
    with AlignmentClient(target) as client:
        return [(key, not isinstance(each, Exception)) for key, each in client.stream(items(), window=4)]


async def test_a_stream_outlives_connections_that_grow_old(tmp_path: Path) -> None:
    torchserve = FakeTorchServe(behave)
    async with running_gateway(tmp_path, torchserve, connection_age_s=0.4, drain_s=0.2) as front:
        with ThreadPoolExecutor(1) as threads:
            answers = await asyncio.get_running_loop().run_in_executor(threads, streamed, front.target)
    assert sorted(answers) == sorted((str(index), True) for index in range(ITEMS))
    assert len(torchserve.jobs) >= ITEMS


def test_keepalive_of_the_shipped_client_is_welcome() -> None:
    """A peer that pings more often than the server allows is sent away (`too_many_pings`)."""
    server = dict(Settings(Path("models.json"), "127.0.0.1:1").server_options)
    client = dict(channel_options("127.0.0.1:2"))
    assert server["grpc.keepalive_permit_without_calls"] == 1
    assert server["grpc.http2.min_ping_interval_without_data_ms"] < client["grpc.keepalive_time_ms"]
