"""TorchServe as the gateway sees it."""

import asyncio
import socket
import time
from contextlib import closing, nullcontext
from dataclasses import dataclass

import grpc
import pytest

from tests.gateway_fakes import Failure, FakeTorchServe, Job, answer, request
from wronglung.envelope import RequestContext
from wronglung.errors import ModelUnavailable, Overloaded
from wronglung.gateway.pipeline import parse_answer
from wronglung.gateway.upstream import TorchServeClient
from wronglung.v1 import alignment_pb2 as pb


async def test_torchserve_is_not_looked_for_behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    async with FakeTorchServe().listening() as target:
        client = TorchServeClient(target)
        context = RequestContext("a", time.monotonic() + 5)
        answer = await client.predict("encoder", "1.0", request("a").SerializeToString(), context, 5)
        await client.close()
    assert parse_answer(answer, "a").HasField("response")


@dataclass
class Reluctant:
    """A TorchServe that fails a number of times, then answers."""

    failures: int
    details: str
    calls: int = 0

    async def __call__(self, job: Job) -> pb.AlignStreamResponse:
        self.calls += 1
        if self.calls <= self.failures:
            raise Failure(grpc.StatusCode.INTERNAL, self.details)
        return answer(job)


NOT_TAKEN = 'Model "encoder" has no worker to serve inference request. Please use scale workers API to add workers.'


@pytest.mark.parametrize(
    ("details", "failures", "timeout_s", "calls", "answered"),
    [
        (NOT_TAKEN, 1, 5, 2, True),
        (NOT_TAKEN, 2, 5, 2, False),
        (NOT_TAKEN, 1, 0.2, 1, False),
        ("Worker died.", 1, 5, 1, False),
    ],
    ids=["not taken", "not taken twice", "not taken and no time", "perhaps worked on"],
)
async def test_only_what_torchserve_did_not_take_is_sent_again_and_once(
    details: str, failures: int, timeout_s: float, calls: int, answered: bool
) -> None:
    behaviour = Reluctant(failures, details)
    async with FakeTorchServe(behaviour).listening() as target:
        client = TorchServeClient(target)
        context = RequestContext("a", time.monotonic() + timeout_s)
        with nullcontext() if answered else pytest.raises((Overloaded, ModelUnavailable)):
            await client.predict("encoder", "1.0", request("a").SerializeToString(), context, 5)
        await client.close()
    assert behaviour.calls == calls


async def test_a_torchserve_that_comes_back_in_a_moment_costs_no_request() -> None:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    client = TorchServeClient(f"127.0.0.1:{port}")
    context = RequestContext("a", time.monotonic() + 10)
    call = asyncio.create_task(client.predict("encoder", "1.0", request("a").SerializeToString(), context, 10))
    await asyncio.sleep(0.1)
    async with FakeTorchServe().listening(port):
        assert parse_answer(await call, "a").HasField("response")
        await client.close()
