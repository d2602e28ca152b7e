"""One call to a server under load, and how it ended."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio

from wronglung.client.transport import Attempts, Retry, patiently
from wronglung.errors import WronglungError
from wronglung.v1 import alignment_pb2 as pb
from wronglung.v1.alignment_pb2_grpc import AlignmentServiceStub

ANSWERED = "OK"
REFUSED = "RESOURCE_EXHAUSTED"
INCOMPLETE = "INCOMPLETE"
"""Answered, but not every sentence by a map."""

Call = Callable[[pb.AlignRequest], Awaitable[str]]
"""Sends a request; returns `OK`, the name of the gRPC status that it ended with, or what the answer's judge says."""
Judge = Callable[[pb.AlignRequest, pb.AlignResponse], str]
"""Says of an answer `OK`, or what is wrong with it in a word."""


@dataclass(frozen=True, slots=True)
class Ended:
    """One call that ended. Times are in seconds since the load began."""

    intended_s: float
    """When it was to be sent."""
    sent_s: float
    ended_s: float
    status: str

    @property
    def latency_s(self) -> float:
        """From when it was to be sent: a generator that is late must not make the server look quick."""
        return self.ended_s - self.intended_s


def complete(request: pb.AlignRequest, answer: pb.AlignResponse) -> str:
    """The judge who wants a map for every sentence."""
    maps = sum(result.HasField("alignment") for result in answer.results)
    return ANSWERED if maps == len(request.sentences) else INCOMPLETE


def caller(channel: grpc.aio.Channel, deadline_s: float, judge: Judge = complete) -> Call:
    """Calls `Align` by the bare stub: nothing is sent again, so that every refusal is seen."""
    stub: Any = AlignmentServiceStub(channel)  # type: ignore[no-untyped-call]

    async def call(request: pb.AlignRequest) -> str:
        try:
            answer = await stub.Align(request, timeout=deadline_s)
        except grpc.aio.AioRpcError as error:
            return str(error.code().name)
        return judge(request, answer)

    return call


def patient_caller(
    channel: grpc.aio.Channel, deadline_s: float, broke: Callable[[str], None], judge: Judge = complete
) -> Call:
    """Calls `Align` as the shipped client does: what may succeed later is sent again, after as long as the server says.

    Args:
        channel: to the server.
        deadline_s: for all tries of a call together.
        broke: is told the status of each try that was not answered, whatever became of its call.
        judge: of answers.
    """
    stub: Any = AlignmentServiceStub(channel)  # type: ignore[no-untyped-call]

    async def call(request: pb.AlignRequest) -> str:
        statuses: list[str] = []

        def note(broken: grpc.aio.AioRpcError) -> None:
            statuses.append(str(broken.code().name))
            broke(statuses[-1])

        attempts = Attempts(deadline_s, Retry())
        try:
            answer = await patiently(attempts, lambda left_s: stub.Align(request, timeout=left_s), note)
        except WronglungError:
            return statuses[-1]
        return judge(request, answer)

    return call
