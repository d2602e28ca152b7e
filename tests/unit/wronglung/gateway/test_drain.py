"""Stops, old connections and keepalive: nobody who was let in goes without an answer."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.gateway_fakes import FakeTorchServe, Job, answer, failure_of, png, request, retry_delay_ms, running_gateway
from tests.served_fake import behave
from tests.slow_line import slow_line
from wronglung.client import AlignItem, AlignmentClient
from wronglung.client.transport import channel_options, open_aio_channel
from wronglung.gateway import server
from wronglung.gateway.intake import Terms
from wronglung.gateway.server import Settings
from wronglung.gateway.service import Most
from wronglung.v1 import alignment_pb2 as pb
from wronglung.v1.alignment_pb2_grpc import AlignmentServiceStub

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


@pytest.mark.parametrize("waits_for", ["the model", "room"])
async def test_what_a_stop_has_no_time_for_is_told_to_come_again(tmp_path: Path, waits_for: str) -> None:
    """By type and with advice, unary calls and each item of a stream; gRPC alone would cut them off without a word."""
    release = asyncio.Event()

    async def endless(job: Job) -> pb.AlignStreamResponse:
        await release.wait()
        return answer(job)

    async with running_gateway(tmp_path, FakeTorchServe(endless), drain_s=1) as front:
        ids = [f"item {number}" for number in range(60 if waits_for == "room" else 2)]
        stream = front.stub.AlignStream(iter([request(each) for each in ids]))
        call = front.stub.Align(request("a"))
        while {"a", ids[0]} - {job.context.request_id for job in front.torchserve.jobs}:
            await asyncio.sleep(0.01)
        async with asyncio.timeout(4):
            await front.gateway.stop()
        code, error, status = await failure_of(call)
        assert (code, error.code) == (grpc.StatusCode.UNAVAILABLE, pb.ERROR_CODE_MODEL_UNAVAILABLE)
        assert retry_delay_ms(status) > 0
        answers = [each async for each in until_it_fails(stream)]
        assert {each.request_id for each in answers} <= set(ids)
        assert {each.error.code for each in answers} == {pb.ERROR_CODE_MODEL_UNAVAILABLE}
        assert len(answers) >= len([job for job in front.torchserve.jobs if job.context.request_id in ids])
        assert (await failure_of(stream.read()))[1].code == pb.ERROR_CODE_MODEL_UNAVAILABLE
        release.set()


async def test_a_stop_has_no_time_for_a_message_that_waits_for_room_either(tmp_path: Path) -> None:
    async def endless(job: Job) -> pb.AlignStreamResponse:
        await asyncio.Event().wait()
        return answer(job)

    terms = Terms(held_bytes=1_000_000)
    image = png() + bytes(900_000)
    async with running_gateway(tmp_path, FakeTorchServe(endless), drain_s=1, most=Most(messages=terms)) as front:
        streams = [front.stub.AlignStream(iter([request("a", image=image)])) for _ in range(2)]
        while not front.torchserve.jobs:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        async with asyncio.timeout(4):
            await front.gateway.stop()
        answers = [each for stream in streams async for each in until_it_fails(stream)]
        assert [each.error.code for each in answers] == [pb.ERROR_CODE_MODEL_UNAVAILABLE]
        for stream in streams:
            assert (await failure_of(stream.read()))[1].code == pb.ERROR_CODE_MODEL_UNAVAILABLE


async def until_it_fails(stream: Any) -> AsyncIterator[pb.AlignStreamResponse]:
    with suppress(grpc.aio.AioRpcError):
        async for each in stream:
            yield each


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


@pytest.mark.skipif(sys.platform != "linux", reason="stops a process as Linux does")
async def test_a_caller_that_vanished_gives_back_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection stays open as far as anybody can see, until it does not answer a ping."""
    monkeypatch.setattr(server, "_PING_S", 0.5)
    monkeypatch.setattr(server, "_PONG_S", 0.5)
    async with running_gateway(tmp_path, FakeTorchServe()) as front:
        caller = await asyncio.create_subprocess_exec(sys.executable, "-c", _CALLER, front.target)
        try:
            streams = front.gateway._service._streams
            async with asyncio.timeout(20):
                while not streams.taken:
                    await asyncio.sleep(0.05)
            await asyncio.sleep(2)  # alive, though it says nothing
            assert streams.taken == 1
            caller.send_signal(signal.SIGSTOP)
            async with asyncio.timeout(10):
                while streams.taken:
                    await asyncio.sleep(0.05)
        finally:
            caller.kill()
            await caller.wait()


_CALLER = """
import sys, time, grpc
from wronglung.v1.alignment_pb2_grpc import AlignmentServiceStub

def silence():
    time.sleep(60)
    yield

with grpc.insecure_channel(sys.argv[1]) as channel:
    list(AlignmentServiceStub(channel).AlignStream(silence()))
"""
"""Opens a stream and sends nothing."""


HURRY = 200
"""How many times as fast as it is shipped each side's clock of pings goes here: every 0.3 s, not every 60."""
ENDLESS = ("grpc.http2.max_pings_without_data", 0)
INTERVAL = "grpc.http2.min_ping_interval_without_data_ms"


def hurried(options: Sequence[tuple[str, Any]], name: str) -> list[tuple[str, Any]]:
    """The same options, but that time."""
    assert name in dict(options)
    return [(key, value // HURRY if key == name else value) for key, value in options]


@pytest.mark.parametrize(
    ("least_ms", "code"), [(None, grpc.StatusCode.OK), (2000, grpc.StatusCode.UNAVAILABLE)], ids=["ours", "stricter"]
)
async def test_keepalive_of_the_shipped_client_is_welcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, least_ms: int | None, code: grpc.StatusCode
) -> None:
    """A peer that pings more often than the server allows is sent away (`too_many_pings`), as a stricter one shows.

    By itself gRPC's client stops after two pings without data; this one goes on.
    """
    served = hurried(Settings(Path("models.json"), "127.0.0.1:1").server_options, INTERVAL)
    if least_ms is not None:
        served = [(key, least_ms if key == INTERVAL else value) for key, value in served]
    monkeypatch.setattr(Settings, "server_options", served)

    async def slow(job: Job) -> pb.AlignStreamResponse:
        await asyncio.sleep(6)
        return answer(job)

    async with running_gateway(tmp_path, FakeTorchServe(slow), drain_s=0.1) as front:
        options = [*hurried(channel_options(front.target), "grpc.keepalive_time_ms"), ENDLESS]
        async with grpc.aio.insecure_channel(front.target, options=options) as channel:
            stub: Any = AlignmentServiceStub(channel)  # type: ignore[no-untyped-call]
            assert await stub.Align(request(), timeout=20).code() is code


LONG = 3 * 1024 * 1024


async def long_answer(job: Job) -> pb.AlignStreamResponse:
    response = answer(job)
    response.response.model.weights_digest = "x" * LONG
    return response


@pytest.mark.parametrize("method", ["Align", "AlignStream"])
async def test_a_stop_lets_an_answer_arrive_over_a_slow_line(tmp_path: Path, method: str) -> None:
    """It takes two seconds to be sent: by then all work is long done."""
    async with (
        running_gateway(tmp_path, FakeTorchServe(long_answer), drain_s=20) as front,
        slow_line(front.target, LONG / 2) as target,
        open_aio_channel(target, None) as channel,
    ):
        stub: Any = AlignmentServiceStub(channel)  # type: ignore[no-untyped-call]
        unary = method == "Align"
        call = stub.Align(request("a")) if unary else stub.AlignStream(iter([request("a")]))
        while not front.torchserve.jobs:
            await asyncio.sleep(0.01)
        stopping = asyncio.create_task(front.gateway.stop())
        received = (await call) if unary else (await call.read()).response
        assert len(received.model.weights_digest) == LONG
        await stopping


async def test_a_stop_does_not_wait_for_ever_for_whoever_takes_no_answer(tmp_path: Path) -> None:
    async with (
        running_gateway(tmp_path, FakeTorchServe(long_answer), drain_s=1) as front,
        slow_line(front.target, 1) as target,
        open_aio_channel(target, None) as channel,
    ):
        stub: Any = AlignmentServiceStub(channel)  # type: ignore[no-untyped-call]
        call = stub.Align(request("a"))
        while not front.torchserve.jobs:
            await asyncio.sleep(0.01)
        async with asyncio.timeout(4):
            await front.gateway.stop()
        call.cancel()


async def test_watches_are_sent_elsewhere_when_work_takes_longer_than_a_stop_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_gateway(tmp_path, FakeTorchServe(), drain_s=0.3) as front:
        watch = health_pb2_grpc.HealthStub(front.channel).Watch(health_pb2.HealthCheckRequest())
        await watch.read()
        monkeypatch.setattr(front.gateway._service, "idle", asyncio.Event())
        async with asyncio.timeout(4):
            await front.gateway.stop()
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        async with asyncio.timeout(4):
            assert await watch.code() is grpc.StatusCode.UNAVAILABLE


async def test_neither_watches_nor_reflection_hold_up_a_stop(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, FakeTorchServe(), drain_s=30) as front:
        watch = health_pb2_grpc.HealthStub(front.channel).Watch(health_pb2.HealthCheckRequest())
        await watch.read()
        asking = reflection_pb2_grpc.ServerReflectionStub(front.channel).ServerReflectionInfo()
        await asking.write(reflection_pb2.ServerReflectionRequest(list_services=""))
        await asking.read()
        async with asyncio.timeout(3):
            await front.gateway.stop()
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        assert await watch.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_server_takes_over_from_another_and_no_item_is_lost(tmp_path: Path) -> None:
    """How a version comes in that was not there at the start: a second server beside the first, which then stops."""
    old, new = FakeTorchServe(behave), FakeTorchServe(behave)
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    async with running_gateway(tmp_path / "old", old) as first, running_gateway(tmp_path / "new", new) as second:
        target = f"ipv4:{first.target},{second.target}"
        with ThreadPoolExecutor(1) as threads:
            streaming = asyncio.get_running_loop().run_in_executor(threads, streamed, target)
            async with asyncio.timeout(10):
                while len(old.jobs) + len(new.jobs) < ITEMS // 5:
                    await asyncio.sleep(0.01)
            await (first if old.jobs else second).gateway.stop()
            answers = await streaming
    assert sorted(answers) == sorted((str(index), True) for index in range(ITEMS))
    assert old.jobs
    assert new.jobs
