"""Calls under load: bare ones show every refusal, patient ones are sent again as the shipped client does."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio

from benchmarks.service.calls import caller, patient_caller
from wronglung.v1 import alignment_pb2 as pb
from wronglung.v1.alignment_pb2_grpc import AlignmentServiceServicer, add_AlignmentServiceServicer_to_server

FULL, AWAY, BAD = grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INVALID_ARGUMENT
REQUEST = pb.AlignRequest(request_id="r")


class Scripted(AlignmentServiceServicer):
    """Ends the first calls by these codes, and answers those after them."""

    def __init__(self, codes: Sequence[grpc.StatusCode]) -> None:
        self._codes = list(codes)

    async def Align(self, request: pb.AlignRequest, context: Any) -> pb.AlignResponse:
        if self._codes:
            await context.abort(self._codes.pop(0), "as the script says")
        return pb.AlignResponse(request_id=request.request_id)


@asynccontextmanager
async def channel_to(*codes: grpc.StatusCode) -> AsyncIterator[grpc.aio.Channel]:
    server = grpc.aio.server()
    add_AlignmentServiceServicer_to_server(Scripted(codes), server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
    finally:
        await server.stop(None)


async def test_a_bare_call_ends_with_the_first_refusal() -> None:
    async with channel_to(FULL) as channel:
        call = caller(channel, 5)
        assert [await call(REQUEST), await call(REQUEST)] == ["RESOURCE_EXHAUSTED", "OK"]


async def test_a_patient_call_is_sent_again_and_every_broken_try_is_told() -> None:
    broken: list[str] = []
    async with channel_to(FULL, AWAY) as channel:
        assert await patient_caller(channel, 5, broken.append)(REQUEST) == "OK"
    assert broken == ["RESOURCE_EXHAUSTED", "UNAVAILABLE"]


async def test_a_patient_call_gives_up_when_the_shipped_client_does() -> None:
    broken: list[str] = []
    async with channel_to(*[FULL] * 9) as channel:
        assert await patient_caller(channel, 20, broken.append)(REQUEST) == "RESOURCE_EXHAUSTED"
    assert broken == ["RESOURCE_EXHAUSTED"] * 4


async def test_what_cannot_succeed_later_is_not_sent_again() -> None:
    broken: list[str] = []
    async with channel_to(BAD) as channel:
        assert await patient_caller(channel, 5, broken.append)(REQUEST) == "INVALID_ARGUMENT"
    assert broken == ["INVALID_ARGUMENT"]


async def test_the_judge_has_the_last_word() -> None:
    async with channel_to(FULL) as channel:
        assert await patient_caller(channel, 5, lambda _: None, lambda *_: "DIFFERENT")(REQUEST) == "DIFFERENT"
