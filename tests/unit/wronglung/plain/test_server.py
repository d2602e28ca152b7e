"""The plain backend with real worker processes and a handler without an engine."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import psutil
import pytest

from tests.repository import ROOT
from wronglung.envelope import CONTEXT_ENTRY, REQUEST_ENTRY, RequestContext
from wronglung.errors import ModelUnavailable
from wronglung.gateway.upstream import typed_error
from wronglung.plain import pool
from wronglung.plain.pool import WorkerDied, Workers
from wronglung.plain.server import PlainServer
from wronglung.plain.settings import PlainModel, PlainSettings, worker_log
from wronglung.supervisor.ports import free_ports
from wronglung.torchserve.inference_pb2 import PredictionsRequest
from wronglung.torchserve.inference_pb2_grpc import InferenceAPIsServiceStub
from wronglung.v1 import alignment_pb2 as pb

FRAGILE = """
import os
class Fragile:
    def initialize(self, _):
        with open({loads!r}, "a") as loads:
            loads.write("x")
            self.number = loads.tell()
        if self.number in (2, 3):
            raise RuntimeError("the weights are gone")
    def handle(self, *_):
        if self.number == 1:
            os._exit(1)
        return [b"answer"]
"""
"""Dies of its first request, and cannot be loaded again but at the third attempt."""
HANDLER = ROOT / "tests" / "fake_alignment_handler.py"


def settings(directory: Path, handler: Path = HANDLER) -> PlainSettings:
    (port,) = free_ports(1)
    model_settings = directory / "model-config.yaml"
    model_settings.write_text("minWorkers: 1\n")
    model = PlainModel("m", "m", "1.1", directory, model_settings, workers=1, longest_s=0.4)
    return PlainSettings(port, 0, handler, ROOT / "deploy/torchserve/metrics.yaml", directory, [model])


@pytest.fixture
async def backend(tmp_path: Path) -> AsyncIterator[Any]:
    """Calls `Predictions` of a running backend with one model, `m` in version 1.1."""
    told = settings(tmp_path)
    server = PlainServer(told)
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{told.port}") as channel:
        yield InferenceAPIsServiceStub(channel).Predictions  # type: ignore[no-untyped-call]
    await server.stop()


def envelope(*sentences: str, version: str = "1.1") -> PredictionsRequest:
    request = pb.AlignRequest(model_name="m", sentences=sentences)
    entries = {REQUEST_ENTRY: request.SerializeToString(), CONTEXT_ENTRY: RequestContext("id-1").to_bytes()}
    return PredictionsRequest(model_name="m", model_version=version, input=entries)


def workers() -> list[psutil.Process]:
    """Those of this test: what multiprocessing spawned, but for its own bookkeeper."""
    return [p for p in psutil.Process().children() if "spawn_main" in " ".join(p.cmdline())]


async def test_a_request_is_answered_by_the_handler_under_the_models_name_and_version(backend: Any) -> None:
    answer = pb.AlignStreamResponse.FromString((await backend(envelope("a", "b"))).prediction)
    assert answer.request_id == "id-1"
    assert len(answer.response.results) == 2
    assert (answer.response.model.name, answer.response.model.version) == ("m", "1.1")


async def test_a_dead_worker_is_told_in_torchserves_words_and_replaced(backend: Any) -> None:
    (worker,) = workers()
    slow = asyncio.ensure_future(backend(envelope("slow")))
    await asyncio.sleep(0.2)
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await slow
    assert isinstance(typed_error(failure.value.code(), failure.value.details() or "", "id-1"), ModelUnavailable)
    assert (await backend(envelope("a"))).prediction
    assert workers() != [worker]


async def test_a_worker_that_hangs_is_replaced(backend: Any) -> None:
    (worker,) = workers()
    with pytest.raises(grpc.aio.AioRpcError, match="Worker died"):
        await backend(envelope("slow"))
    assert (await backend(envelope("a"))).prediction
    assert workers() != [worker]


async def test_a_worker_that_died_idle_costs_nobody_an_answer(backend: Any) -> None:
    (worker,) = workers()
    worker.kill()
    assert (await backend(envelope("a"))).prediction


async def test_a_caller_that_goes_away_does_not_free_the_worker_and_one_that_hangs_is_replaced_all_the_same(
    backend: Any,
) -> None:
    (worker,) = workers()
    left = backend(envelope("slow"))
    await asyncio.sleep(0.1)
    left.cancel()
    assert (await backend(envelope("a"))).prediction
    assert workers() != [worker]


async def test_an_idle_worker_that_is_frozen_is_replaced_before_it_gets_a_request(backend: Any) -> None:
    (worker,) = workers()
    worker.suspend()
    assert (await backend(envelope("a"))).prediction
    assert worker not in workers()


async def test_a_worker_that_died_at_work_is_replaced_before_anybody_asks(backend: Any) -> None:
    (worker,) = workers()
    with pytest.raises(grpc.aio.AioRpcError, match="Worker died"):
        await backend(envelope("slow"))
    async with asyncio.timeout(10):
        while not [each for each in workers() if each != worker]:
            await asyncio.sleep(0.05)


async def test_a_model_that_cannot_be_loaded_again_is_told_at_once_and_tried_again_after_longer_and_longer_pauses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_FIRST_PAUSE_S", 0.2)
    handler, loads = tmp_path / "fragile_handler.py", tmp_path / "loads"
    handler.write_text(FRAGILE.format(loads=str(loads)))
    told = settings(tmp_path, handler)
    workers_of_m = Workers(told, told.models[0])
    await workers_of_m.start()
    for _ in range(20):
        with pytest.raises(WorkerDied):
            await workers_of_m.answer({})
    failed_at, refused, answer = time.monotonic(), 0, None
    assert len(loads.read_text()) <= 3
    while answer is None:
        try:
            answer = await workers_of_m.answer({})
        except WorkerDied:
            refused += 1
            await asyncio.sleep(0.01)
    assert (answer.body, len(loads.read_text())) == (b"answer", 4)
    assert time.monotonic() - failed_at > 0.5  # 0.2 + 0.4, less what the refusals took
    assert refused > 5
    workers_of_m.stop()


async def test_what_is_not_served_is_told_in_torchserves_words(backend: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError, match="Model not found"):
        await backend(envelope("a", version="7"))


@pytest.mark.parametrize(
    ("source", "word"),
    [
        (
            "class Broken:\n    handle = None\n    def initialize(self, _): raise RuntimeError('no weights')",
            "no weights",
        ),
        ("class NoHandler: pass", "must define one class"),
    ],
)
async def test_a_model_that_cannot_be_loaded_ends_the_start_and_its_log_says_why(
    tmp_path: Path, source: str, word: str
) -> None:
    handler = tmp_path / "broken_handler.py"
    handler.write_text(source)
    told = settings(tmp_path, handler)
    with pytest.raises(WorkerDied):
        await PlainServer(told).start()
    assert word in worker_log(told.logs, "m", 0).read_text()
