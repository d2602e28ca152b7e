"""One AlignStream: read in order, answered in any order, held back while the server is full."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from wronglung import wire
from wronglung.errors import RequestInvalid
from wronglung.gateway import checks
from wronglung.gateway.accounting import OK, Record
from wronglung.gateway.budget import Budget
from wronglung.gateway.call import Call
from wronglung.gateway.ending import Ending
from wronglung.gateway.intake import Intake, Message
from wronglung.gateway.metrics import Metrics
from wronglung.gateway.pipeline import Checked, Pipeline
from wronglung.gateway.security.callers import Caller
from wronglung.gateway.until import until
from wronglung.limits import LIMITS
from wronglung.v1 import alignment_pb2 as pb

_WINDOW = 64
_UNREAD_BYTES = 8 * 1024 * 1024
"""Answers that the caller has not read yet, at the length that they can have until they are there. Errors are short."""


class StreamSession:
    """The requests of one stream.

    Args:
        pipeline: takes requests to the models.
        intake: bounds the bytes that are held.
        metrics: where to count.
        call: the stream's call.
        caller: tells who calls, asked for every request: a token may be withdrawn while the stream is open.
        ending: how far the server's stop has come.
        window: how many requests may be unanswered, or answered and not yet read by the caller.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        intake: Intake,
        metrics: Metrics,
        call: Call,
        caller: Callable[[], Caller],
        ending: Ending,
        window: int = _WINDOW,
    ) -> None:
        self._pipeline = pipeline
        self._intake = intake
        self._metrics = metrics
        self._call = call
        self._caller = caller
        self._ending = ending
        self._window = asyncio.Semaphore(window)
        self._unread = Budget(_UNREAD_BYTES)
        self._reserved: dict[Record, int] = {}
        self._in_flight: dict[str, Record] = {}
        self._answers: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def answers(self, requests: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """Answer every request that is read, each by one serialised `AlignStreamResponse`."""
        reader = asyncio.create_task(self._read(requests))
        reader.add_done_callback(lambda _: self._answers.put_nowait(None))
        try:
            while (answer := await self._answers.get()) is not None:
                yield answer
                self._unread.give_back(len(answer))
                self._window.release()
            await reader
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    async def _read(self, requests: AsyncIterator[bytes]) -> None:
        async with asyncio.TaskGroup() as waiting:
            async for body in until(self._ending.draining, requests):
                await self._window.acquire()
                await self._unread.take(LIMITS.answer_bytes)  # before it holds what others wait for
                record = Record(self._metrics, self._call)
                self._reserved[record] = LIMITS.answer_bytes
                beginning = self._begin(body, record)
                del body
                try:
                    answer = await self._ending.unless_too_late(beginning)
                except asyncio.CancelledError:
                    record.close_abandoned()
                    raise
                except Exception as error:
                    if self._ending.out_of_time.is_set() and not record.request_id:
                        record.close_failed(error)
                        return  # the end of the stream says it: nobody could tell which request this was
                    self._put_error(record, error)
                else:
                    waiting.create_task(self._finish(answer, record))
                    del answer

    async def _begin(self, body: bytes, record: Record) -> "asyncio.Future[pb.AlignStreamResponse]":
        """Wait for room for a message, check it, wait for room at the model, send it off.

        From then on the message is its dispatch's to release.
        """
        with self._call.tally.waiting():
            message = await self._intake.hold(body, self._call.party)
        self._call.tally.bytes += len(body)
        del body
        try:
            checked = await self._check(message, record)
            self._reserve(record, checked.answer_bytes)
            place = await self._pipeline.admit_in_turn(checked)
        except BaseException:
            message.release()
            raise
        return self._pipeline.dispatch(checked, place)

    async def _check(self, message: Message, record: Record) -> Checked:
        request = checks.parse(message.body)
        self._claim(request.request_id, record)
        record.read(request)
        model = self._pipeline.find(request, self._caller())
        record.names(model)
        return await self._pipeline.check(message, request, model, self._call, record.request_id)

    async def _finish(self, answer: "asyncio.Future[pb.AlignStreamResponse]", record: Record) -> None:
        try:
            answered = await self._ending.unless_too_late(asyncio.shield(answer))
        except asyncio.CancelledError:
            record.close_abandoned()
            raise
        except Exception as error:
            self._put_error(record, error)
        else:
            record.close(outcome_code(answered))
            self._put(record, answered)

    def _claim(self, request_id: str, record: Record) -> None:
        record.request_id = request_id[: LIMITS.request_id_characters]  # an id of megabytes must not come back
        wire.check_request_id(request_id)
        if not request_id:
            raise RequestInvalid("a stream's request needs an id: answers may come out of order", field="request_id")
        if request_id in self._in_flight:
            raise RequestInvalid(f"the id {request_id!r} is in use by a request in flight", field="request_id")
        self._in_flight[request_id] = record

    def _put_error(self, record: Record, error: Exception) -> None:
        pb_error = wire.error_to_pb(record.close_failed(error))
        self._put(record, pb.AlignStreamResponse(request_id=record.request_id, error=pb_error))

    def _put(self, record: Record, answer: pb.AlignStreamResponse) -> None:
        if self._in_flight.get(record.request_id) is record:
            del self._in_flight[record.request_id]
        body = answer.SerializeToString()
        self._reserve(record, len(body))
        del self._reserved[record]
        self._answers.put_nowait(body)

    def _reserve(self, record: Record, size: int) -> None:
        """Of the room for unread answers, the request needs no more than this."""
        self._unread.give_back(self._reserved[record] - size)
        self._reserved[record] = size


def outcome_code(answer: pb.AlignStreamResponse) -> str:
    """How a request that the model answered is counted."""
    return pb.ErrorCode.Name(answer.error.code) if answer.HasField("error") else OK
