"""The health of the whole: of what a caller may use, and of nothing else."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.gateway_fakes import (
    MODELS,
    Failure,
    FakeTorchServe,
    Job,
    RunningGateway,
    failure_of,
    request,
    running_gateway,
)
from wronglung.gateway.health import SERVICE
from wronglung.gateway.security.options import SecurityOptions
from wronglung.served import ServedModel
from wronglung.v1 import alignment_pb2 as pb

ALL, ONE, TWO, NONE = "everything", "one-model", "two-models", "no-model-that-is-served"
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
WHOLES = pytest.mark.parametrize("service", ["", SERVICE])
SEEN, HIDDEN = f"{SERVICE}/encoder", f"{SERVICE}/encoder-optout"


def line(token: str, models: str) -> str:
    return f"{token} sha256:{hashlib.sha256(token.encode()).hexdigest()} {models}\n"


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    path = tmp_path / "tokens.txt"
    rights = {ALL: "", ONE: "encoder", TWO: "encoder,encoder-optout", NONE: "other"}
    path.write_text("".join(line(token, models) for token, models in rights.items()))
    return path


@pytest.fixture
async def front(tmp_path: Path, tokens: Path) -> AsyncIterator[RunningGateway]:
    async with running_gateway(tmp_path, FakeTorchServe(), security=SecurityOptions(tokens=tokens)) as running:
        yield running


def call(front: RunningGateway, method: str, service: str, token: str) -> Any:
    metadata = (("authorization", f"Bearer {token}"),)
    stub = getattr(health_pb2_grpc.HealthStub(front.channel), method)
    return stub(health_pb2.HealthCheckRequest(service=service), metadata=metadata)


async def statuses(front: RunningGateway, service: str, *tokens: str) -> list[int]:
    return [(await call(front, "Check", service, token)).status for token in tokens]


def turn(front: RunningGateway, service: str, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
    front.gateway.health.board.set(service, status)


@WHOLES
async def test_the_whole_is_that_of_the_models_a_caller_may_use(front: RunningGateway, service: str) -> None:
    assert await statuses(front, service, ALL, TWO, ONE) == [SERVING] * 3
    turn(front, HIDDEN, NOT_SERVING)
    assert await statuses(front, service, ALL, TWO, ONE) == [NOT_SERVING, NOT_SERVING, SERVING]
    turn(front, HIDDEN, SERVING)
    turn(front, SEEN, NOT_SERVING)
    assert await statuses(front, service, ALL, TWO, ONE) == [NOT_SERVING] * 3


async def test_a_model_that_dies_out_of_sight_is_not_told_of(front: RunningGateway) -> None:
    async def dead(_: Job) -> pb.AlignStreamResponse:
        raise Failure(grpc.StatusCode.INTERNAL, "Worker died.")

    front.torchserve.behaviour = front.torchserve.canaries = dead
    bearing = (("authorization", f"Bearer {ALL}"),)
    await failure_of(front.stub.Align(request(model_name="encoder-optout"), metadata=bearing))
    assert await statuses(front, "", ALL, ONE) == [NOT_SERVING, SERVING]


@WHOLES
async def test_whoever_may_use_nothing_that_is_served_is_told_so_whatever_happens(
    front: RunningGateway, service: str
) -> None:
    assert await statuses(front, service, NONE) == [NOT_SERVING]
    turn(front, HIDDEN, NOT_SERVING)
    assert await statuses(front, service, NONE) == [NOT_SERVING]


@WHOLES
async def test_a_watch_of_the_whole_is_told_of_every_change_of_what_it_sees_and_of_no_other(
    front: RunningGateway, service: str
) -> None:
    watch = call(front, "Watch", service, ONE)
    assert (await watch.read()).status == SERVING
    following = asyncio.ensure_future(watch.read())
    for status in (NOT_SERVING, SERVING, NOT_SERVING):
        turn(front, HIDDEN, status)
        await asyncio.sleep(0.05)
    assert not following.done()
    turn(front, SEEN, NOT_SERVING)  # though the whole of all models stays as it was
    assert (await following).status == NOT_SERVING
    following = asyncio.ensure_future(watch.read())
    turn(front, HIDDEN, SERVING)
    await asyncio.sleep(0.05)
    assert not following.done()
    turn(front, SEEN, SERVING)
    assert (await following).status == SERVING


async def test_a_watch_of_the_whole_follows_the_rights_of_its_token(
    tmp_path: Path, tokens: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wronglung.gateway.security.reloading._POLL_S", 0.02)
    async with running_gateway(tmp_path, FakeTorchServe(), security=SecurityOptions(tokens=tokens)) as front:
        turn(front, HIDDEN, NOT_SERVING)
        watch = call(front, "Watch", "", ONE)
        assert (await watch.read()).status == SERVING
        tokens.write_text(line(ONE, "encoder,encoder-optout"))
        assert (await watch.read()).status == NOT_SERVING
        tokens.write_text(line(TWO, ""))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await watch.read()
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_every_version_of_a_model_counts(tmp_path: Path, tokens: Path) -> None:
    versions: list[ServedModel] = [replace(MODELS[0], version=each, shares_name=True) for each in ("1.0", "2.0")]
    security = SecurityOptions(tokens=tokens)
    async with running_gateway(tmp_path, FakeTorchServe(), [*versions, MODELS[1]], security=security) as front:
        turn(front, f"{SEEN}@2.0", NOT_SERVING)
        assert await statuses(front, "", ONE) == [NOT_SERVING]
