"""A gateway that wants tokens: without one nothing is told, and with one only what it is good for."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.gateway_fakes import MODELS, FakeTorchServe, RunningGateway, failure_of, png, request, running_gateway
from wronglung.gateway.security.options import SecurityOptions
from wronglung.v1 import alignment_pb2 as pb

ALL, ENCODER_ONLY, KEPT = "a-token-for-everything", "a-token-for-one-model", "a-token-that-stays"
HEALTH = "wronglung.v1.AlignmentService"


def line(name: str, token: str, models: str = "") -> str:
    return f"{name} sha256:{hashlib.sha256(token.encode()).hexdigest()} {models}\n"


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    path = tmp_path / "tokens.txt"
    path.write_text(line("reader", ALL) + line("ward", ENCODER_ONLY, "encoder") + line("kept", KEPT))
    return path


@pytest.fixture
async def front(tmp_path: Path, tokens: Path) -> AsyncIterator[RunningGateway]:
    async with running_gateway(tmp_path, FakeTorchServe(), security=SecurityOptions(tokens=tokens)) as running:
        yield running


def bearing(token: str | None) -> Any:
    return (("authorization", f"Bearer {token}"),) if token else ()


async def read_one(stream: Any) -> Any:
    return await stream.read()


def reflection(channel: grpc.aio.Channel, metadata: Any) -> Any:
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    return reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([asked]), metadata=metadata)


METHODS: dict[str, Callable[[RunningGateway, Any], Awaitable[Any]]] = {
    "Align": lambda front, metadata: front.stub.Align(request(), metadata=metadata),
    "AlignStream": lambda front, metadata: read_one(front.stub.AlignStream(iter([request("a")]), metadata=metadata)),
    "ListModels": lambda front, metadata: front.stub.ListModels(pb.ListModelsRequest(), metadata=metadata),
    "health": lambda front, metadata: health_pb2_grpc.HealthStub(front.channel).Check(
        health_pb2.HealthCheckRequest(), metadata=metadata
    ),
    "reflection": lambda front, metadata: read_one(reflection(front.channel, metadata)),
    "no method": lambda front, metadata: front.channel.unary_unary("/no/such")(b"", metadata=metadata),
}


@pytest.mark.parametrize("token", [None, "a-wrong-token", ALL.upper()])
@pytest.mark.parametrize("method", METHODS)
async def test_without_a_known_token_every_method_is_refused(
    front: RunningGateway, method: str, token: str | None
) -> None:
    status, error, _ = await failure_of(METHODS[method](front, bearing(token)))
    assert status is grpc.StatusCode.UNAUTHENTICATED
    assert error.code == pb.ERROR_CODE_UNAUTHENTICATED
    assert "encoder" not in error.message
    assert front.torchserve.jobs == []
    assert front.gateway.metrics.registry.get_sample_value("wronglung_refused_callers_total") == 1


@pytest.mark.parametrize("method", sorted(METHODS.keys() - {"no method"}))
async def test_with_a_token_every_method_answers(front: RunningGateway, method: str) -> None:
    answer = await METHODS[method](front, bearing(ALL))
    assert answer is not grpc.aio.EOF


async def test_whoever_is_refused_is_so_before_a_message_is_read(front: RunningGateway) -> None:
    """The caller begins a call and does not send its message: gRPC would wait for it before it calls a unary method."""

    async def nothing_yet() -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    status, _, _ = await failure_of(front.channel.stream_unary(f"/{HEALTH}/Align")(nothing_yet(), timeout=5))
    assert status is grpc.StatusCode.UNAUTHENTICATED


async def test_a_caller_uses_the_models_of_the_token(front: RunningGateway) -> None:
    await front.stub.Align(request(), metadata=bearing(ENCODER_ONLY))
    listed = await front.stub.ListModels(pb.ListModelsRequest(), metadata=bearing(ENCODER_ONLY))
    assert [model.identity.name for model in listed.models] == ["encoder"]
    listed = await front.stub.ListModels(pb.ListModelsRequest(), metadata=bearing(ALL))
    assert [model.identity.name for model in listed.models] == ["encoder", "encoder-optout"]


async def aligned(front: RunningGateway, model: str, version: str, image: bytes) -> str:
    asked = request("a", model_name=model, model_version=version, image=image)
    _, error, status = await failure_of(front.stub.Align(asked, metadata=bearing(ENCODER_ONLY)))
    return f"{error} {status}"


async def streamed(front: RunningGateway, model: str, version: str, image: bytes) -> str:
    asked = request("a", model_name=model, model_version=version, image=image)
    return str(await read_one(front.stub.AlignStream(iter([asked]), metadata=bearing(ENCODER_ONLY))))


async def health_checked(front: RunningGateway, model: str, _version: str, _image: bytes) -> str:
    asked = health_pb2.HealthCheckRequest(service=f"{HEALTH}/{model}")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await health_pb2_grpc.HealthStub(front.channel).Check(asked, metadata=bearing(ENCODER_ONLY))
    return f"{caught.value.code()} {caught.value.details()}"


async def health_watched(front: RunningGateway, model: str, _version: str, _image: bytes) -> str:
    asked = health_pb2.HealthCheckRequest(service=f"{HEALTH}/{model}")
    return str(await read_one(health_pb2_grpc.HealthStub(front.channel).Watch(asked, metadata=bearing(ENCODER_ONLY))))


@pytest.mark.parametrize("ask", [aligned, streamed, health_checked, health_watched])
@pytest.mark.parametrize("version", ["", "1.0", "9.9"])
@pytest.mark.parametrize("image", [png(), b"no image"], ids=["image", "no image"])
async def test_a_model_without_rights_answers_like_one_that_does_not_exist(
    front: RunningGateway, ask: Any, version: str, image: bytes
) -> None:
    answers = {await ask(front, model, version, image) for model in ("encoder-optout", "no-such-model")}
    assert len(answers) == 1
    assert "optout" not in answers.pop()
    assert front.torchserve.jobs == []


async def test_the_health_of_a_model_with_rights_is_told(front: RunningGateway) -> None:
    asked = health_pb2.HealthCheckRequest(service=f"{HEALTH}/encoder")
    answer = await health_pb2_grpc.HealthStub(front.channel).Check(asked, metadata=bearing(ENCODER_ONLY))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_right_to_a_model_is_one_to_the_health_of_all_its_versions(tmp_path: Path, tokens: Path) -> None:
    versions = [replace(MODELS[0], version=version, shares_name=True) for version in ("1.0", "2.0")]
    security = SecurityOptions(tokens=tokens)
    async with running_gateway(tmp_path, FakeTorchServe(), [*versions, MODELS[1]], security=security) as front:
        for model in versions:
            asked = health_pb2.HealthCheckRequest(service=f"{HEALTH}/{model.label}")
            answer = await health_pb2_grpc.HealthStub(front.channel).Check(asked, metadata=bearing(ENCODER_ONLY))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_health_has_no_list_of_models(front: RunningGateway) -> None:
    stub = health_pb2_grpc.HealthStub(front.channel)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.List(health_pb2.HealthListRequest(), metadata=bearing(ENCODER_ONLY))
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_tokens_change_without_a_restart(front: RunningGateway, tokens: Path) -> None:
    await front.stub.Align(request(), metadata=bearing(ALL))
    tokens.write_text(line("reader", "another-token"))
    front.gateway.access.refresh()
    status, _, _ = await failure_of(front.stub.Align(request(), metadata=bearing(ALL)))
    assert status is grpc.StatusCode.UNAUTHENTICATED
    await front.stub.Align(request(), metadata=bearing("another-token"))


async def test_a_token_that_is_withdrawn_ends_what_its_open_streams_are_good_for(
    front: RunningGateway, tokens: Path
) -> None:
    step = asyncio.Event()

    async def requests() -> AsyncIterator[pb.AlignRequest]:
        yield request("before")
        await step.wait()
        yield request("after")

    stream = front.stub.AlignStream(requests(), metadata=bearing(ALL))
    assert (await stream.read()).HasField("response")
    tokens.write_text(line("ward", ENCODER_ONLY))
    front.gateway.access.refresh()
    step.set()
    assert (await stream.read()).error.code == pb.ERROR_CODE_UNAUTHENTICATED
    assert len(front.torchserve.jobs) == 1


async def test_a_watch_tells_nothing_more_once_the_token_is_withdrawn(front: RunningGateway, tokens: Path) -> None:
    asked = health_pb2.HealthCheckRequest(service=f"{HEALTH}/encoder")
    watches = [
        health_pb2_grpc.HealthStub(front.channel).Watch(asked, metadata=bearing(token)) for token in (ALL, ENCODER_ONLY)
    ]
    for watch in watches:
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
    tokens.write_text(line("ward", ENCODER_ONLY, "encoder-optout"))
    front.gateway.access.refresh()
    front.gateway.health.board.set(asked.service, health_pb2.HealthCheckResponse.NOT_SERVING)
    status, _, _ = await failure_of(read_one(watches[0]))
    assert status is grpc.StatusCode.UNAUTHENTICATED
    assert (await watches[1].read()).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


async def test_a_watch_ends_with_its_token_though_nothing_changes(
    tmp_path: Path, tokens: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wronglung.gateway.security.reloading._POLL_S", 0.02)
    asked = health_pb2.HealthCheckRequest(service=f"{HEALTH}/encoder")
    async with running_gateway(tmp_path, FakeTorchServe(), security=SecurityOptions(tokens=tokens)) as front:
        withdrawn, restricted, kept = (
            health_pb2_grpc.HealthStub(front.channel).Watch(asked, metadata=bearing(token))
            for token in (ALL, ENCODER_ONLY, KEPT)
        )
        for watch in (withdrawn, restricted, kept):
            assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        following = asyncio.ensure_future(read_one(kept))
        tokens.write_text(line("ward", ENCODER_ONLY, "encoder-optout") + line("kept", KEPT))
        status, _, _ = await failure_of(read_one(withdrawn))
        assert status is grpc.StatusCode.UNAUTHENTICATED
        assert (await restricted.read()).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
        await asyncio.sleep(0.1)
        assert not following.done()
        kept.cancel()


async def test_a_watch_does_not_tell_when_a_model_without_rights_changes(front: RunningGateway, tokens: Path) -> None:
    hidden, board = f"{HEALTH}/encoder-optout", front.gateway.health.board
    watch = health_pb2_grpc.HealthStub(front.channel).Watch(
        health_pb2.HealthCheckRequest(service=hidden), metadata=bearing(ENCODER_ONLY)
    )
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
    following = asyncio.ensure_future(read_one(watch))
    for status in (health_pb2.HealthCheckResponse.NOT_SERVING, health_pb2.HealthCheckResponse.SERVING):
        board.set(hidden, status)
        await asyncio.sleep(0.05)
    assert not following.done()
    tokens.write_text(line("ward", ENCODER_ONLY))
    front.gateway.access.refresh()
    board.set(hidden, health_pb2.HealthCheckResponse.NOT_SERVING)
    assert (await following).status == health_pb2.HealthCheckResponse.NOT_SERVING


async def test_reflection_refuses_by_type_whose_token_was_withdrawn_since_the_call_was_let_in(
    front: RunningGateway, tokens: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = front.gateway.access.callers.of

    def withdrawn(context: Any) -> Any:
        tokens.write_text(line("another", "another-token"))
        front.gateway.access.refresh()
        return asked(context)

    monkeypatch.setattr(front.gateway.access.callers, "of", withdrawn)
    status, error, _ = await failure_of(read_one(reflection(front.channel, bearing(ALL))))
    assert (status, error.code) == (grpc.StatusCode.UNAUTHENTICATED, pb.ERROR_CODE_UNAUTHENTICATED)


async def test_the_audit_names_the_caller_of_a_stream_without_requests(
    front: RunningGateway, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        await front.stream([], metadata=bearing(ALL))
    assert audited(caplog) == [("reader", "AlignStream", "OK")]


async def test_a_damaged_file_locks_nobody_out(front: RunningGateway, tokens: Path) -> None:
    tokens.write_text("")
    front.gateway.access.refresh()
    await front.stub.Align(request(), metadata=bearing(ALL))


async def test_rights_to_what_is_not_served_are_pointed_out(
    tmp_path: Path, tokens: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tokens.write_text(line("ward", ALL, "encoder,enkoder"))
    with caplog.at_level(logging.WARNING):
        async with running_gateway(tmp_path, FakeTorchServe(), security=SecurityOptions(tokens=tokens)):
            pass
    assert [vars(record).get("models") for record in caplog.records if "rights" in record.message] == [["enkoder"]]


def audited(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, str]]:
    """Caller, method and code of every line of the audit."""
    lines = [vars(record) for record in caplog.records if record.getMessage() == "call"]
    return [(line["caller"], line["method"], line["code"]) for line in lines]


async def test_the_audit_tells_who_called_and_who_was_refused(
    front: RunningGateway, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        await METHODS["Align"](front, bearing(ALL))
        await METHODS["ListModels"](front, bearing(ENCODER_ONLY))
        await front.stream([request("a")], metadata=bearing(ALL))
        for method in ("Align", "no method"):
            await failure_of(METHODS[method](front, bearing("a-wrong-token")))
    refused = "ERROR_CODE_UNAUTHENTICATED"
    expected = [("reader", "Align", "OK"), ("ward", "ListModels", "OK"), ("reader", "AlignStream", "OK")]
    assert audited(caplog) == [*expected, ("-", "Align", refused), ("-", "other", refused)]
    assert not any(token in caplog.text for token in (ALL, ENCODER_ONLY, "a-wrong-token"))
