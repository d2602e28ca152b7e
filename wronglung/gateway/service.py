"""AlignmentService: the three methods, on raw bytes, so that an image is never decoded or written anew on its way."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from functools import partial

import grpc
import grpc.aio

from wronglung import wire
from wronglung.errors import RETRY_MS, ModelUnavailable, Overloaded
from wronglung.gateway import checks
from wronglung.gateway.accounting import Record, answering
from wronglung.gateway.call import Call, Context
from wronglung.gateway.ending import Ending
from wronglung.gateway.health import SERVICE, Health
from wronglung.gateway.intake import Intake, Message, Terms
from wronglung.gateway.metrics import Metrics
from wronglung.gateway.pipeline import Checked, Pipeline
from wronglung.gateway.questions import Questions, Readers
from wronglung.gateway.received import Received
from wronglung.gateway.security.callers import Caller, Callers
from wronglung.gateway.shares import Places
from wronglung.gateway.stream import StreamSession
from wronglung.served import Catalogue, ServedModel
from wronglung.tracing import Tracer
from wronglung.v1 import alignment_pb2 as pb

_QUESTIONS = 32
"""What models there are: so many may be asked at once."""


@dataclass(frozen=True, slots=True)
class Most:
    """How much may be under way at once; what comes on top is refused, or waits (see `Terms`)."""

    calls: int = 256
    """Alignments, waiting ones included."""
    streams: int = 64
    """Of these, streams: each may hold one message for which there is no room yet."""
    messages: Terms = field(default_factory=Terms)


class AlignmentService:
    """The methods of the contract.

    Args:
        pipeline: takes requests to the models.
        catalogue: the served models.
        health: which of them are ready.
        metrics: where to count.
        tracer: makes a span of each call.
        callers: tells who calls.
        most: how much may be under way.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        catalogue: Catalogue,
        health: Health,
        metrics: Metrics,
        tracer: Tracer,
        callers: Callers,
        most: Most,
    ) -> None:
        self._pipeline = pipeline
        self._catalogue = catalogue
        self._health = health
        self._metrics = metrics
        self._tracer = tracer
        self._callers = callers
        self._most = most
        self._intake = Intake(most.messages)
        self.ending = Ending()
        self.idle = asyncio.Event()
        self.idle.set()
        self._calls = Places(most.calls, partial(_full, "calls"))
        self._streams = Places(most.streams, partial(_full, "streams"))
        self.readers = Readers()
        self._questions = Questions(_QUESTIONS, self.readers)

    def handler(self) -> "grpc.GenericRpcHandler[bytes, bytes]":
        """The methods as gRPC registers them."""
        methods = {
            # Two are unary calls to the caller. Here the message is an iterator, so that it is read when there is room.
            "Align": grpc.stream_unary_rpc_method_handler(self.align),
            "AlignStream": grpc.stream_stream_rpc_method_handler(self.align_stream),
            "ListModels": grpc.stream_unary_rpc_method_handler(self.list_models),
        }
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    async def align(self, _messages: object, context: Context) -> bytes:
        """One image; refused at once when there is no room."""
        call = Call.of(context, "Align")
        async with answering(call, context, self._tracer):
            caller = self._caller(call, context)
            record = Record(self._metrics, call, call.call_id)
            with record.closing(), self._counted(call):
                answer = await self.ending.unless_too_late(self._align(Received(context), record, call, caller))
                if answer.HasField("error"):
                    raise wire.error_from_pb(answer.error)
        return answer.response.SerializeToString()

    async def _align(
        self, messages: AsyncIterator[bytes], record: Record, call: Call, caller: Caller
    ) -> pb.AlignStreamResponse:
        message = await self._intake.read(messages, call.party, call.tally)
        call.tally.bytes += len(message.body)
        try:
            checked = await self._check(message, record, call, caller)
            place = self._pipeline.admit_now(checked)
        except BaseException:
            message.release()
            raise
        return await asyncio.shield(self._pipeline.dispatch(checked, place))

    async def _check(self, message: Message, record: Record, call: Call, caller: Caller) -> Checked:
        request = checks.parse(message.body)
        wire.check_request_id(request.request_id)  # before it can stand in a log
        record.request_id = call.tally.request_id = request.request_id or call.call_id
        record.read(request)
        model = self._pipeline.find(request, caller)
        record.names(model)
        return await self._pipeline.check(message, request, model, call, record.request_id)

    async def align_stream(self, _requests: object, context: Context) -> AsyncIterator[bytes]:
        """Many images; held back while there is no room."""
        call = Call.of(context, "AlignStream")
        async with answering(call, context, self._tracer):
            self._caller(call, context)
            with self._counted(call), self._streams.one(call.party):
                caller = partial(self._callers.of, context)
                session = StreamSession(self._pipeline, self._intake, self._metrics, call, caller, self.ending)
                async with aclosing(session.answers(Received(context))) as answers:
                    async for answer in answers:
                        yield answer
            if self.ending.draining.is_set():
                message = "the server is shutting down: open a new stream and send again what was not answered"
                raise ModelUnavailable(message, retry_after_ms=RETRY_MS)

    async def list_models(self, _messages: object, context: Context) -> bytes:
        """What is served to this caller. Its message says nothing."""
        call = Call.of(context, "ListModels")
        async with answering(call, context, self._tracer):
            seen = self._caller(call, context).view(self._catalogue)
            await self._questions.read(Received(context), call.party)
            models = [self._describe(model, model in seen.defaults) for model in seen.models]
        return pb.ListModelsResponse(models=models).SerializeToString()

    def _caller(self, call: Call, context: Context) -> Caller:
        """Who calls, now.

        Raises:
            Unauthenticated: nobody who is known any more.
        """
        caller = self._callers.of(context)
        call.caller = caller.name
        return caller

    @contextmanager
    def _counted(self, call: Call) -> Iterator[None]:
        """Keep `idle` clear while a call is at work.

        Raises:
            ModelUnavailable: the server is being stopped.
            Overloaded: there are too many.
        """
        if self.ending.draining.is_set():
            raise ModelUnavailable("the server is shutting down: send it again", retry_after_ms=RETRY_MS)
        with self._calls.one(call.party):
            self.idle.clear()
            try:
                yield
            finally:
                if self._calls.taken == 1:
                    self.idle.set()

    def _describe(self, model: ServedModel, is_default: bool) -> pb.Model:
        return pb.Model(
            identity=pb.ModelIdentity(name=model.name, version=model.version, weights_digest=model.weights_digest),
            ready=self._health.is_ready(model),
            has_opt_out=model.has_opt_out,
            grid_rows=model.grid_rows,
            grid_cols=model.grid_cols,
            frame_width=model.frame_width,
            frame_height=model.frame_height,
            max_word_pieces=model.max_word_pieces,
            is_default=is_default,
        )


def _full(what: str) -> Overloaded:
    message = f"the server has all the {what} that it can hold of one caller: try again later"
    return Overloaded(message, retry_after_ms=RETRY_MS)
