"""What is told of a call: ids, trace, details of errors, and one audit line, whatever became of it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2 as details

from tests.gateway_fakes import Failure, FakeTorchServe, Job, RunningGateway, failure_of, request, running_gateway
from wronglung.gateway import audit
from wronglung.gateway.health import SERVICE
from wronglung.gateway.intake import Terms
from wronglung.gateway.service import Most
from wronglung.v1 import alignment_pb2 as pb

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[RunningGateway]:
    async with running_gateway(tmp_path, FakeTorchServe()) as running:
        yield running


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Any:
    """The audit lines so far."""
    caplog.set_level(logging.INFO, audit.LOGGER)

    def read() -> list[dict[str, Any]]:
        records = [record for record in caplog.records if record.name == audit.LOGGER]
        return [{field: getattr(record, field) for field in audit.FIELDS} for record in records]

    return read


async def never(_: Job) -> pb.AlignStreamResponse:
    await asyncio.sleep(60)
    raise AssertionError


async def test_a_call_goes_by_the_id_of_its_metadata(front: RunningGateway, lines: Any) -> None:
    answer = await front.stub.Align(request(), metadata=(("x-request-id", "ward 7/42"),))
    assert answer.request_id == front.torchserve.jobs[0].context.request_id == "ward 7/42"
    (line,) = lines()
    assert (line["call_id"], line["request_id"]) == ("ward 7/42", "ward 7/42")


async def test_a_request_keeps_its_own_id(front: RunningGateway, lines: Any) -> None:
    answer = await front.stub.Align(request("mine"), metadata=(("x-request-id", "outer"),))
    assert answer.request_id == "mine"
    (line,) = lines()
    assert (line["call_id"], line["request_id"]) == ("outer", "mine")


@pytest.mark.parametrize("sent", [[""], ["x" * 129], ["one", "two"]], ids=["empty", "long", "two"])
async def test_an_id_that_cannot_stand_is_replaced(front: RunningGateway, lines: Any, sent: list[str]) -> None:
    answer = await front.stub.Align(request(), metadata=tuple(("x-request-id", each) for each in sent))
    assert len(answer.request_id) == 32
    assert lines()[0]["call_id"] == answer.request_id


async def test_an_audit_line_says_who_asked_for_what_and_how_it_went(front: RunningGateway, lines: Any) -> None:
    sent = request("a", sentences=["one lung", "two lungs"])
    await front.stub.Align(sent, metadata=(("traceparent", f"00-{TRACE}-{'cd' * 8}-01"),))
    (line,) = lines()
    seconds = [line.pop(f"{kind}seconds") for kind in ("", "waiting_", "reading_", "torchserve_")]
    assert line.pop("peer").startswith("ipv4:127.0.0.1:")
    assert line.pop("call_id")
    assert line == {
        "request_id": "a",
        "trace_id": TRACE,
        "caller": "-",
        "method": "Align",
        "models": ["encoder 1.0"],
        "images": 1,
        "sentences": 2,
        "bytes": len(sent.SerializeToString()),
        "code": "OK",
        "failed": {},
    }
    assert 0 < seconds[3] <= seconds[0] < 5
    assert 0 <= seconds[1] + seconds[2] <= seconds[0]


@pytest.mark.parametrize("method", ["Align", "AlignStream"])
async def test_waiting_is_for_room_to_hold_the_message(front: RunningGateway, lines: Any, method: str) -> None:
    held = await front.gateway._service._intake.hold(bytes(Terms().held_bytes))
    sending = front.stub.Align(request("a")) if method == "Align" else asyncio.create_task(front.stream([request("a")]))
    await asyncio.sleep(0.5)
    held.release()
    await sending
    (line,) = lines()
    assert 0.3 < line["waiting_seconds"] <= line["seconds"]
    assert line["reading_seconds"] < 0.3


@pytest.mark.parametrize("method", ["Align", "AlignStream"])
async def test_reading_is_how_long_the_message_of_a_unary_call_took_to_arrive(
    front: RunningGateway, lines: Any, method: str
) -> None:
    async def slowly() -> AsyncIterator[bytes]:
        await asyncio.sleep(0.5)
        yield request("a").SerializeToString()

    open_call = front.channel.stream_unary if method == "Align" else front.channel.stream_stream
    call: Any = open_call(f"/{SERVICE}/{method}")(slowly())
    if method == "Align":
        await call
    else:
        assert len([answer async for answer in call]) == 1
    (line,) = lines()
    assert line["waiting_seconds"] < 0.3
    assert line["seconds"] > 0.3
    assert line["reading_seconds"] > 0.3 if method == "Align" else line["reading_seconds"] == 0


async def test_who_is_refused_for_want_of_room_has_waited_for_it(tmp_path: Path, lines: Any) -> None:
    most = Most(messages=Terms(held_bytes=1000, patience_s=0.2))
    async with running_gateway(tmp_path, FakeTorchServe(), most=most) as front:
        await front.gateway._service._intake.hold(bytes(1000))
        _, error, _ = await failure_of(front.stub.Align(request("a")))
    assert error.code == pb.ERROR_CODE_OVERLOADED
    (line,) = lines()
    assert line["waiting_seconds"] >= 0.2
    assert line["reading_seconds"] == 0


async def test_a_stream_is_one_line_with_its_sums(front: RunningGateway, lines: Any) -> None:
    await front.stream(
        [
            request("a", sentences=["one", "two"]),
            request("b", model_name="encoder-optout"),
            request("c", image=b"text"),
            request("d", model_name="The left lung is clear."),
        ]
    )
    (line,) = lines()
    assert (line["method"], line["code"], line["images"], line["sentences"]) == ("AlignStream", "OK", 4, 5)
    assert line["models"] == ["encoder 1.0", "encoder-optout 1.0"]
    assert line["failed"] == {"ERROR_CODE_IMAGE_FORMAT_UNSUPPORTED": 1, "ERROR_CODE_MODEL_UNKNOWN": 1}


async def test_a_list_of_models_is_a_call_too(front: RunningGateway, lines: Any) -> None:
    await front.stub.ListModels(pb.ListModelsRequest())
    assert [(line["method"], line["code"], line["images"]) for line in lines()] == [("ListModels", "OK", 0)]


@pytest.mark.parametrize(
    ("timeout_s", "code"), [(None, "CANCELLED"), (0.3, "ERROR_CODE_DEADLINE_EXCEEDED")], ids=["left", "late"]
)
async def test_a_caller_who_does_not_wait_is_in_the_audit(
    front: RunningGateway, lines: Any, timeout_s: float | None, code: str
) -> None:
    front.torchserve.behaviour = never
    call = front.stub.Align(request("a"), timeout=timeout_s)
    while not front.torchserve.at_work:
        await asyncio.sleep(0.01)
    if timeout_s is None:
        call.cancel()
    async with asyncio.timeout(5):
        while not lines():
            await asyncio.sleep(0.01)
    assert (lines()[0]["code"], lines()[0]["failed"]) == (code, {code: 1})


def packed(status: Any, kind: Any) -> Any:
    """The detail of one kind in a status, or None."""
    found = kind()
    return next((found for detail in status.details if detail.Unpack(found)), None)


async def test_a_mistake_names_reason_field_and_request(front: RunningGateway, lines: Any) -> None:
    _, _, status = await failure_of(front.stub.Align(request("mine", sentences=["ok", "x" * 2001])))
    info = packed(status, details.ErrorInfo)
    assert (info.reason, info.domain) == ("SENTENCE_TOO_LONG", "wronglung.v1")
    (violation,) = packed(status, details.BadRequest).field_violations
    assert violation.field == "sentences[1]"
    assert "2000 are allowed" in violation.description
    assert packed(status, details.RequestInfo).request_id == "mine"
    assert packed(status, details.RetryInfo) is None
    assert lines()[0]["code"] == "ERROR_CODE_SENTENCE_TOO_LONG"


async def test_what_may_succeed_later_says_when_and_blames_no_field(front: RunningGateway) -> None:
    async def die(_: Job) -> pb.AlignStreamResponse:
        raise Failure(grpc.StatusCode.INTERNAL, "Worker died.")

    front.torchserve.behaviour = die
    _, _, status = await failure_of(front.stub.Align(request("mine")))
    assert packed(status, details.ErrorInfo).reason == "MODEL_UNAVAILABLE"
    assert packed(status, details.RetryInfo).retry_delay.ToMilliseconds() > 0
    assert packed(status, details.BadRequest) is None


async def test_a_status_fits_into_trailers_however_long_its_message(front: RunningGateway) -> None:
    async def verbose(job: Job) -> pb.AlignStreamResponse:
        error = pb.Error(code=pb.ERROR_CODE_IMAGE_CORRUPT, message="ä" * 100_000, field="image")
        return pb.AlignStreamResponse(request_id=job.context.request_id, error=error)

    front.torchserve.behaviour = verbose
    code, error, status = await failure_of(front.stub.Align(request("x" * 128)))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert error.message == "ä" * 500 + "…"
    assert packed(status, details.RequestInfo).request_id == "x" * 128


async def test_an_audit_line_has_its_fields_and_no_others() -> None:
    with pytest.raises(ValueError, match="fields"):
        audit.write({"call_id": "a"})
