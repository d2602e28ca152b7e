"""Align: one request through the gateway, in front of a fake TorchServe."""

import asyncio
import json
import struct
import time
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from tests.gateway_fakes import (
    Failure,
    FakeTorchServe,
    Job,
    RunningGateway,
    answer,
    failure_of,
    healthy,
    png,
    request,
    retry_delay_ms,
    running_gateway,
)
from wronglung.envelope import RequestContext
from wronglung.gateway import upstream
from wronglung.gateway.logs import JsonFormatter
from wronglung.limits import LIMITS
from wronglung.v1 import alignment_pb2 as pb


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[RunningGateway]:
    async with running_gateway(tmp_path, FakeTorchServe()) as running:
        yield running


def huge_png_header() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


async def test_forwards_the_callers_bytes_untouched_and_answers_what_the_model_answered(front: RunningGateway) -> None:
    sent = request("a", sentences=["one lung", "two lungs"])
    response = await front.stub.Align(sent)
    (job,) = front.torchserve.jobs
    assert job.body == sent.SerializeToString()
    assert (job.model, job.version) == ("encoder", "1.0")
    assert response == answer(job).response


async def test_makes_up_an_id_when_the_caller_gives_none(front: RunningGateway) -> None:
    response = await front.stub.Align(request())
    assert len(response.request_id) == 32
    assert front.torchserve.jobs[0].context.request_id == response.request_id


async def test_hands_on_deadline_and_trace(front: RunningGateway) -> None:
    trace = f"00-{'ab' * 16}-{'cd' * 8}-01"
    await front.stub.Align(request("a"), timeout=7, metadata=(("traceparent", trace), ("tracestate", "a=1,b=2")))
    context = front.torchserve.jobs[0].context
    assert context.deadline_monotonic_s is not None
    assert 1 < context.deadline_monotonic_s - time.monotonic() < 7.5  # gRPC rounds
    assert (context.traceparent, context.tracestate) == (trace, "a=1,b=2")


async def test_sets_no_deadline_when_the_caller_has_none(front: RunningGateway) -> None:
    await front.stub.Align(request("a"))
    assert front.torchserve.jobs[0].context.deadline_monotonic_s is None


BAD = {
    "no model": (request(model_name=""), "REQUEST_INVALID", "model_name"),
    "unknown model": (request(model_name="other"), "MODEL_UNKNOWN", "model_name"),
    "unknown version": (request(model_version="9"), "MODEL_UNKNOWN", "model_version"),
    "no image": (request(image=b""), "IMAGE_EMPTY", "image"),
    "text as image": (request(image=b"the lungs are clear"), "IMAGE_FORMAT_UNSUPPORTED", "image"),
    "image cut off in its header": (request(image=png()[:20]), "IMAGE_CORRUPT", "image"),
    "900 megapixels": (request(image=huge_png_header()), "IMAGE_TOO_MANY_PIXELS", "image"),
    "no sentences": (request(sentences=[]), "SENTENCES_MISSING", "sentences"),
    "257 sentences": (request(sentences=["a lung"] * 257), "SENTENCES_TOO_MANY", "sentences"),
    "long sentence": (request(sentences=["ok", "x" * 2001]), "SENTENCE_TOO_LONG", "sentences[1]"),
    "long id": (request("x" * 129), "REQUEST_INVALID", "request_id"),
    "answer too large": (
        request(sentences=["a b c d e f g h"] * 256, options=pb.AlignOptions(word_maps=True)),
        "ANSWER_TOO_LARGE",
        "options.word_maps",
    ),
}


@pytest.mark.parametrize(("bad", "code", "field"), BAD.values(), ids=BAD.keys())
async def test_refuses_a_bad_request_before_any_work_is_done(
    front: RunningGateway, bad: pb.AlignRequest, code: str, field: str
) -> None:
    status, error, _ = await failure_of(front.stub.Align(bad))
    expected = grpc.StatusCode.NOT_FOUND if code == "MODEL_UNKNOWN" else grpc.StatusCode.INVALID_ARGUMENT
    assert status is expected
    assert pb.ErrorCode.Name(error.code) == f"ERROR_CODE_{code}"
    assert error.field == field
    assert error.message
    assert front.torchserve.jobs == []


async def test_refuses_more_image_bytes_than_allowed(front: RunningGateway) -> None:
    too_long = png() + bytes(LIMITS.image_bytes)
    _, error, _ = await failure_of(front.stub.Align(request(image=too_long)))
    assert error.code == pb.ERROR_CODE_IMAGE_TOO_MANY_BYTES


async def test_refuses_bytes_that_are_no_request(front: RunningGateway) -> None:
    call = front.channel.unary_unary("/wronglung.v1.AlignmentService/Align")
    _, error, _ = await failure_of(call(b"\xff\xff\xff"))
    assert error.code == pb.ERROR_CODE_REQUEST_INVALID


async def test_an_error_that_the_model_answers_becomes_the_calls_status(front: RunningGateway) -> None:
    async def corrupt(job: Job) -> pb.AlignStreamResponse:
        error = pb.Error(code=pb.ERROR_CODE_IMAGE_CORRUPT, message="cut off", field="image")
        return pb.AlignStreamResponse(request_id=job.context.request_id, error=error)

    front.torchserve.behaviour = corrupt
    status, error, _ = await failure_of(front.stub.Align(request()))
    assert status is grpc.StatusCode.INVALID_ARGUMENT
    assert (error.message, error.field) == ("cut off", "image")


NO_WORKER = 'Model "encoder" has no worker to serve inference request. Please use scale workers API to add workers.'
TORCHSERVE_FAILURES = {
    "queue full": (grpc.StatusCode.INTERNAL, NO_WORKER, grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED"),
    "worker died": (grpc.StatusCode.INTERNAL, "Worker died.", grpc.StatusCode.UNAVAILABLE, "MODEL_UNAVAILABLE"),
    "worker killed for memory": (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "Worker died.",
        grpc.StatusCode.UNAVAILABLE,
        "MODEL_UNAVAILABLE",
    ),
    "model not loaded": (
        grpc.StatusCode.INTERNAL,
        "Model not found: encoder",
        grpc.StatusCode.UNAVAILABLE,
        "MODEL_UNAVAILABLE",
    ),
    "handler raised": (grpc.StatusCode.UNAVAILABLE, "Prediction failed", grpc.StatusCode.INTERNAL, "INTERNAL"),
    "stream reset": (grpc.StatusCode.CANCELLED, "Stream removed", grpc.StatusCode.INTERNAL, "INTERNAL"),
}


@pytest.mark.parametrize(
    ("code", "details", "status", "name"), TORCHSERVE_FAILURES.values(), ids=TORCHSERVE_FAILURES.keys()
)
async def test_every_failure_of_torchserve_becomes_a_typed_error(
    front: RunningGateway, code: grpc.StatusCode, details: str, status: grpc.StatusCode, name: str
) -> None:
    async def fail(_: Job) -> pb.AlignStreamResponse:
        raise Failure(code, details)

    front.torchserve.behaviour = fail
    actual, error, whole = await failure_of(front.stub.Align(request("my-id")))
    assert actual is status
    assert pb.ErrorCode.Name(error.code) == f"ERROR_CODE_{name}"
    if name == "INTERNAL":
        assert "my-id" in error.message
    else:
        assert retry_delay_ms(whole) == error.retry_after_ms > 0


def test_a_stream_that_torchserve_resets_at_the_deadline_is_the_deadline() -> None:
    past, future = (RequestContext("a", time.monotonic() + seconds) for seconds in (0.0, 60.0))
    reset = grpc.aio.AioRpcError(grpc.StatusCode.CANCELLED, grpc.aio.Metadata(), grpc.aio.Metadata(), "Stream removed")
    assert upstream._status_of(reset, past) is grpc.StatusCode.DEADLINE_EXCEEDED
    assert upstream._status_of(reset, future) is grpc.StatusCode.CANCELLED
    assert upstream._status_of(reset, RequestContext("a")) is grpc.StatusCode.CANCELLED


async def test_refuses_at_once_with_retry_advice_when_there_is_no_room(front: RunningGateway) -> None:
    release = asyncio.Event()

    async def wait(job: Job) -> pb.AlignStreamResponse:
        await release.wait()
        return answer(job)

    front.torchserve.behaviour = wait
    calls = [front.stub.Align(request(str(i))) for i in range(8)]
    while front.torchserve.at_work < 8:
        await asyncio.sleep(0.01)
    started = time.monotonic()
    status, error, whole = await failure_of(front.stub.Align(request("one too many")))
    assert time.monotonic() - started < 1
    assert status is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert error.code == pb.ERROR_CODE_OVERLOADED
    assert retry_delay_ms(whole) == error.retry_after_ms >= 50
    release.set()
    assert len(await asyncio.gather(*calls)) == 8


@pytest.mark.parametrize("timeout_s", [None, 0.5], ids=["callers leave", "deadlines pass"])
async def test_room_is_given_back_only_when_torchserve_is_done(front: RunningGateway, timeout_s: float | None) -> None:
    release = asyncio.Event()

    async def wait(job: Job) -> pb.AlignStreamResponse:
        await release.wait()
        return answer(job)

    front.torchserve.behaviour = wait
    calls = [front.stub.Align(request(str(i)), timeout=timeout_s) for i in range(8)]
    while front.torchserve.at_work < 8:
        await asyncio.sleep(0.01)
    if timeout_s is None:
        for call in calls:
            call.cancel()
    await asyncio.sleep(0.1 + (timeout_s or 0))
    assert all(call.done() for call in calls)
    _, error, _ = await failure_of(front.stub.Align(request()))
    assert error.code == pb.ERROR_CODE_OVERLOADED
    release.set()
    front.torchserve.behaviour = healthy
    async with asyncio.timeout(5):
        while front.torchserve.at_work:
            await asyncio.sleep(0.01)
    await front.stub.Align(request())


async def test_a_defect_of_the_gateway_is_hidden_but_named(
    front: RunningGateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("wronglung.gateway.checks.check_answer_size", lambda *_: 1 / 0)
    shown = JsonFormatter()
    status, error, _ = await failure_of(front.stub.Align(request("my-id")))
    assert status is grpc.StatusCode.INTERNAL
    assert "my-id" in error.message
    lines = [json.loads(shown.format(record)) for record in caplog.records]
    (defect,) = [line["defect"] for line in lines if "defect" in line]
    assert defect.startswith("ZeroDivisionError\n")
    assert "checks.py" in defect
