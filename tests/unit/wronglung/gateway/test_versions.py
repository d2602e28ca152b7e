"""Versions of a model side by side, and which of them answers callers who name none."""

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.gateway_fakes import (
    MODELS,
    Failure,
    FakeTorchServe,
    Job,
    RunningGateway,
    answer,
    failure_of,
    request,
    running_gateway,
)
from wronglung.gateway.health import SERVICE
from wronglung.gateway.metrics import Metrics
from wronglung.gateway.versions import DefaultVersions
from wronglung.served import Catalogue
from wronglung.v1 import alignment_pb2 as pb

OLD = replace(MODELS[0], shares_name=True)
NEW = replace(OLD, version="1.1")
SERVED = (OLD, NEW, MODELS[1])
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    path = tmp_path / "versions"
    path.write_text("# what callers get\n\nencoder 1.0\n")
    return path


@pytest.fixture
async def front(tmp_path: Path, versions: Path) -> AsyncIterator[RunningGateway]:
    async with running_gateway(tmp_path, FakeTorchServe(), SERVED, default_versions=versions) as running:
        yield running


async def asked(front: RunningGateway, version: str = "") -> str:
    """The version that is sent a request."""
    await front.stub.Align(request(model_version=version))
    return front.torchserve.jobs[-1].version


async def until(front: RunningGateway, version: str) -> None:
    async with asyncio.timeout(10):
        while await asked(front) != version:
            await asyncio.sleep(0.1)


async def test_both_are_served_and_one_is_the_default(front: RunningGateway, versions: Path) -> None:
    assert [await asked(front, version) for version in ("", "1.0", "1.1")] == ["1.0", "1.0", "1.1"]
    listed = (await front.stub.ListModels(pb.ListModelsRequest())).models
    named = [(each.identity.name, each.identity.version) for each in listed]
    assert named[:2] == [("encoder", "1.0"), ("encoder", "1.1")]
    assert [each.is_default for each in listed[:2]] == [True, False]
    versions.write_text("encoder 1.1\n")
    await until(front, "1.1")
    listed = (await front.stub.ListModels(pb.ListModelsRequest())).models
    assert [each.is_default for each in listed[:2]] == [False, True]


async def test_the_page_of_metrics_shows_which_is_the_default(front: RunningGateway, versions: Path) -> None:
    def shown() -> list[float | None]:
        value, name = front.gateway.metrics.registry.get_sample_value, "wronglung_default_version"
        return [value(name, {"model": "encoder", "version": version}) for version in ("1.0", "1.1")]

    assert shown() == [1, 0]
    versions.write_text("encoder 1.1\n")
    await until(front, "1.1")
    assert shown() == [0, 1]


async def test_it_rolls_forward_and_back_and_no_request_fails(front: RunningGateway, versions: Path) -> None:
    async def slow(job: Job) -> pb.AlignStreamResponse:
        await asyncio.sleep(0.02)
        return answer(job)

    front.torchserve.behaviour = slow
    stop, answered = asyncio.Event(), list[str]()

    async def go_on(name: int) -> None:
        while not stop.is_set():
            answered.append((await front.stub.Align(request(f"{name}-{len(answered)}"))).request_id)

    callers = [asyncio.create_task(go_on(name)) for name in range(4)]
    for version in ("1.1", "1.0"):
        versions.write_text(f"encoder {version}\n")
        await until(front, version)
    stop.set()
    await asyncio.gather(*callers)  # raises what any of them met
    assert len(answered) > 20
    assert {job.version for job in front.torchserve.jobs} == {"1.0", "1.1"}


async def test_health_of_a_name_is_that_of_its_default_and_each_version_has_its_own(
    front: RunningGateway, versions: Path
) -> None:
    async def old_is_dead(job: Job) -> pb.AlignStreamResponse:
        if (job.model, job.version) == ("encoder", "1.0"):
            raise Failure(grpc.StatusCode.INTERNAL, "Worker died.")
        return answer(job)

    front.torchserve.behaviour = front.torchserve.canaries = old_is_dead
    check = health_pb2_grpc.HealthStub(front.channel).Check

    async def status(label: str) -> int:
        return (await check(health_pb2.HealthCheckRequest(service=f"{SERVICE}/{label}"))).status

    async def becomes(label: str, expected: int) -> None:
        async with asyncio.timeout(5):
            while await status(label) != expected:
                await asyncio.sleep(0.02)

    await failure_of(front.stub.Align(request()))
    await becomes("encoder@1.0", NOT_SERVING)
    assert [await status(label) for label in ("encoder@1.1", "encoder")] == [SERVING, NOT_SERVING]
    assert front.health_reports[-1] == ["encoder@1.0"]
    versions.write_text("encoder 1.1\n")
    await becomes("encoder", SERVING)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("encoder 9.9", "encoder 9.9"),
        ("encodr 1.0", "encodr 1.0"),
        ("encoder", "line 1"),
        ("encoder 1.0\nencoder 1.1", "line 2"),
        ("encoder 1.0 now", "line 1"),
    ],
)
def test_what_cannot_be_is_named_at_the_start(versions: Path, text: str, named: str) -> None:
    versions.write_text(text)
    with pytest.raises(ValueError, match=named):
        DefaultVersions(versions, Catalogue(SERVED), Metrics(), lambda: None)


def test_what_cannot_be_later_changes_nothing(versions: Path) -> None:
    served, changes = Catalogue(SERVED), list[str]()
    default = DefaultVersions(versions, served, Metrics(), lambda: changes.append(served.find("encoder").version))
    for text in ("encoder 9.9\n", "encoder 1.1\n", "nonsense\n", ""):
        versions.write_text(text)
        default.refresh()
    versions.unlink()
    default.refresh()
    assert changes == ["1.1"], "nor does a file that was emptied: it is being written, or the disk is full"


async def test_a_file_that_cannot_be_read_to_its_end_holds_nobody_up(front: RunningGateway, versions: Path) -> None:
    """A pipe reads like a file on a mount that does not answer, until somebody writes."""
    versions.unlink()
    os.mkfifo(versions)
    answers_again = threading.Timer(4, versions.write_text, ("encoder 1.1\n",))
    answers_again.start()
    try:
        moments = [time.monotonic()]
        while moments[-1] < moments[0] + 2.5:
            assert await asked(front) == "1.0"
            await asyncio.sleep(0.05)
            moments.append(time.monotonic())
        assert max(after - before for before, after in pairwise(moments)) < 1.5
        await until(front, "1.1")
    finally:
        answers_again.join()
        versions.unlink()
        versions.write_text("encoder 1.1\n")


async def test_a_watcher_that_ends_by_a_defect_is_told_of(versions: Path, caplog: pytest.LogCaptureFixture) -> None:
    def defect() -> None:
        raise RuntimeError("nobody can be told")

    default = DefaultVersions(versions, Catalogue(SERVED), Metrics(), defect)
    default.start()
    versions.write_text("encoder 1.1\n")
    async with asyncio.timeout(10):
        while not any(each.levelname == "CRITICAL" for each in caplog.records):
            await asyncio.sleep(0.05)
    await default.stop()
