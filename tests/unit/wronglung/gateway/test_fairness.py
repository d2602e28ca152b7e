"""One caller cannot keep others from being served, whatever it does. Callers are told apart by their tokens."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.gateway_fakes import FakeTorchServe, Job, RunningGateway, answer, failure_of, request, running_gateway
from wronglung.gateway.intake import Terms
from wronglung.gateway.security.options import SecurityOptions
from wronglung.gateway.service import Most
from wronglung.v1 import alignment_pb2 as pb

TERMS = Terms(greedy_s=0.2)
MOST = Most(calls=40, streams=8, messages=TERMS)


def by(caller: str) -> dict[str, Any]:
    return {"metadata": (("authorization", f"Bearer {caller}"),)}


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[RunningGateway]:
    tokens = tmp_path / "tokens"
    tokens.write_text("".join(f"{c} sha256:{hashlib.sha256(c.encode()).hexdigest()}\n" for c in ("greedy", "modest")))
    security = SecurityOptions(tokens=tokens)
    async with running_gateway(tmp_path, FakeTorchServe(), security=security, most=MOST) as running:
        yield running


async def test_callers_who_send_nothing_do_not_keep_another_waiting(front: RunningGateway) -> None:
    """Their calls have begun and no message comes: each would hold room for the longest."""
    silent = [front.channel.stream_unary("/wronglung.v1.AlignmentService/Align")(**by("greedy")) for _ in range(5)]
    await asyncio.sleep(0.3)
    async with asyncio.timeout(2):
        assert (await front.stub.Align(request("a"), **by("modest"))).request_id == "a"
    for call in silent:
        call.cancel()


async def test_who_opens_all_the_calls_it_can_leaves_some_to_others(front: RunningGateway) -> None:
    silent = [front.channel.stream_unary("/wronglung.v1.AlignmentService/Align")(**by("greedy")) for _ in range(50)]
    await asyncio.sleep(0.3)
    code, error, _ = await failure_of(front.stub.Align(request("a"), **by("greedy")))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert error.retry_after_ms > 0
    async with asyncio.timeout(3):
        assert (await front.stub.Align(request("b"), **by("modest"))).request_id == "b"
    for call in silent:
        call.cancel()


async def test_who_opens_all_the_streams_it_can_leaves_some_to_others(front: RunningGateway) -> None:
    streams = [front.stub.AlignStream(**by("greedy")) for _ in range(8)]
    await asyncio.sleep(0.2)
    assert len(await front.stream([request("a")], **by("modest"))) == 1
    for stream in streams:
        stream.cancel()


async def test_a_flood_of_calls_and_streams_does_not_keep_another_from_the_model(front: RunningGateway) -> None:
    async def slowly(job: Job) -> pb.AlignStreamResponse:
        await asyncio.sleep(0.05)
        return answer(job)

    async def flood() -> None:
        while True:
            await asyncio.gather(front.stub.Align(request(), **by("greedy")), return_exceptions=True)

    front.torchserve.behaviour = slowly
    flooding = [asyncio.create_task(flood()) for _ in range(16)]
    endless = [asyncio.create_task(front.stream([request(str(i)) for i in range(500)], **by("greedy")))]
    await asyncio.sleep(0.3)
    codes = list[grpc.StatusCode]()
    for _ in range(12):
        codes.append(await front.stub.Align(request(), **by("modest")).code())
        if codes[-1] is not grpc.StatusCode.OK:
            await asyncio.sleep(0.1)  # as advised
    for task in (*flooding, *endless):
        task.cancel()
    assert set(codes) <= {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert codes.count(grpc.StatusCode.OK) >= 8  # turned away once; room is kept then, unless the machine is late
