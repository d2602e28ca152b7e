"""Health and lists of models: whoever sends no message, or one that makes no sense, takes them from nobody."""

import asyncio
import hashlib
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.authority import Authority
from tests.gateway_fakes import FakeTorchServe, RunningGateway, failure_of, running_gateway
from wronglung.errors import DeadlineExceeded, Overloaded, RequestInvalid
from wronglung.gateway.questions import Questions, Readers
from wronglung.gateway.security.options import SecurityOptions
from wronglung.v1 import alignment_pb2 as pb

METHODS = ["/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch", "/wronglung.v1.AlignmentService/ListModels"]
FLOOD = 700
"""More than the calls that a server takes on at once."""


async def nothing() -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


async def saying(*words: bytes) -> AsyncIterator[bytes]:
    for word in words:
        yield word


async def test_a_message_is_read() -> None:
    assert await Questions(2, Readers()).read(saying(b"what"), "anybody") == b"what"


async def test_one_that_does_not_come_is_waited_for_a_short_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wronglung.gateway.questions._READING_S", 0.05)
    with pytest.raises(DeadlineExceeded, match=r"within 0\.05 s"):
        await Questions(2, Readers()).read(nothing(), "anybody")


@pytest.mark.parametrize(("words", "said"), [((), "no message"), ((b"x" * 4097,), "4097 bytes; 4096")])
async def test_none_or_a_long_one_is_refused(words: tuple[bytes, ...], said: str) -> None:
    with pytest.raises(RequestInvalid, match=said):
        await Questions(2, Readers()).read(saying(*words), "anybody")


async def test_a_party_that_sends_none_leaves_places_to_others() -> None:
    questions = Questions(4, Readers())
    silent = [asyncio.create_task(questions.read(nothing(), "silent")) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await questions.read(saying(b"more"), "silent")
    assert await questions.read(saying(b"what"), "another") == b"what"
    for task in silent:
        task.cancel()


async def test_few_are_read_at_once_and_whoever_has_none_there_comes_first() -> None:
    """What a message holds is known when it was read: up to the limit of an image each."""
    questions, begun = Questions(100, Readers()), list[str]()

    async def slow(party: str) -> AsyncIterator[bytes]:
        begun.append(party)
        await asyncio.Event().wait()
        yield b""

    tasks = [asyncio.create_task(questions.read(slow(party), party)) for party in "aaaaaaaabbbbc"]
    await asyncio.sleep(0.05)
    assert begun == ["a"] * 4 + ["b"] * 4
    tasks[0].cancel()
    await asyncio.sleep(0.05)
    assert begun[8:] == ["c"]
    for task in tasks:
        task.cancel()


async def test_whose_turn_to_be_read_does_not_come_is_told_to_ask_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wronglung.gateway.questions._READERS", 1)
    questions = Questions(100, Readers())
    silent = asyncio.create_task(questions.read(nothing(), "silent"))
    await asyncio.sleep(0)
    monkeypatch.setattr("wronglung.gateway.questions._READING_S", 0.05)
    with pytest.raises(Overloaded, match="ask again later"):
        await questions.read(saying(b"what"), "another")
    silent.cancel()
    await asyncio.gather(silent, return_exceptions=True)
    assert await questions.read(saying(b"what"), "another") == b"what"


_FLOOD = """
import sys
from concurrent.futures import ThreadPoolExecutor
import grpc

target, method, metadata = sys.argv[1], sys.argv[2], (("authorization", "Bearer ward-one"),)

def call(_):
    with grpc.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        code = channel.unary_stream(method)(bytes(40 << 20), metadata=metadata).code()
    return code.name

with ThreadPoolExecutor(24) as threads:
    print(*sorted(set(threads.map(call, range(24)))))
"""
"""Sends messages of 40 MiB, all at once."""


@pytest.mark.parametrize("method", METHODS)
async def test_messages_of_megabytes_where_a_short_one_belongs_do_not_add_up(
    front: RunningGateway, method: str
) -> None:
    process = psutil.Process()
    most = before = process.memory_info().rss
    caller = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _FLOOD, front.target, method, stdout=asyncio.subprocess.PIPE
    )
    told = asyncio.create_task(caller.communicate())
    while not told.done():
        most = max(most, process.memory_info().rss)
        await asyncio.sleep(0.005)
    assert set((await told)[0].decode().split()) <= {"INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"}
    assert most - before < 12 * (40 << 20)  # 24 were sent; 4 are read at once, each in parts and then whole


def bearing(token: str) -> Any:
    return (("authorization", f"Bearer {token}"),)


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[RunningGateway]:
    lines = [f"{name} sha256:{hashlib.sha256(name.encode()).hexdigest()}\n" for name in ("ward-one", "ward-two")]
    tokens = tmp_path / "tokens.txt"
    tokens.write_text("".join(lines))
    async with running_gateway(tmp_path, FakeTorchServe(), security=SecurityOptions(tokens=tokens)) as running:
        yield running


async def opened(channel: grpc.aio.Channel, method: str, number: int, metadata: Any = None) -> list[Any]:
    """Calls of which nothing but headers is sent; returns once the first of them is refused."""
    calls = [channel.stream_stream(method)(nothing(), metadata=metadata) for _ in range(number)]
    await asyncio.wait([asyncio.ensure_future(call.code()) for call in calls], return_when=asyncio.FIRST_COMPLETED)
    return calls


@pytest.mark.parametrize("method", METHODS)
async def test_calls_without_a_message_keep_nobody_else_from_health_and_models(
    front: RunningGateway, method: str
) -> None:
    calls = await opened(front.channel, method, FLOOD, bearing("ward-one"))
    async with asyncio.timeout(10):
        while sum(call.done() for call in calls) < FLOOD - 256:
            await asyncio.sleep(0.05)
    metadata = bearing("ward-two")
    health = health_pb2_grpc.HealthStub(front.channel)
    answer = await health.Check(health_pb2.HealthCheckRequest(), metadata=metadata, timeout=2)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    watch = health.Watch(health_pb2.HealthCheckRequest(), metadata=metadata, timeout=2)
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
    assert len((await front.stub.ListModels(pb.ListModelsRequest(), metadata=metadata, timeout=2)).models) == 2
    for call in [*calls, watch]:
        call.cancel()


@pytest.mark.parametrize("method", METHODS[:2])
async def test_what_is_no_question_is_refused_by_type(front: RunningGateway, method: str) -> None:
    metadata = bearing("ward-one")
    status, error, _ = await failure_of(front.channel.stream_unary(method)(saying(b"\xff"), metadata=metadata))
    assert (status, error.code) == (grpc.StatusCode.INVALID_ARGUMENT, pb.ERROR_CODE_REQUEST_INVALID)


async def test_probes_are_answered_again_soon_after_calls_without_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All come from one machine, as on a port that asks nobody: only time frees its places."""
    monkeypatch.setattr("wronglung.gateway.questions._READING_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    security = replace(Authority(tmp_path / "ours").server(), probe_port=port)
    async with (
        running_gateway(tmp_path, FakeTorchServe(), security=security),
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        calls = await opened(channel, METHODS[0], 64)
        async with asyncio.timeout(5):
            await asyncio.gather(*(call.code() for call in calls))
        answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=2)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
