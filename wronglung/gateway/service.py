"""AlignmentService: the three methods, on raw bytes, so that an image is never decoded or written anew on its way."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager

import grpc
import grpc.aio

from wronglung import wire
from wronglung.envelope import RequestContext
from wronglung.errors import ModelUnavailable, Overloaded
from wronglung.gateway import checks
from wronglung.gateway.accounting import Record
from wronglung.gateway.health import SERVICE, Health
from wronglung.gateway.metrics import Metrics
from wronglung.gateway.pipeline import Pipeline
from wronglung.gateway.status import abort
from wronglung.gateway.stream import StreamSession, outcome_code
from wronglung.served import Catalogue, ServedModel
from wronglung.v1 import alignment_pb2 as pb

Context = grpc.aio.ServicerContext[bytes, bytes]
_RETRY_MS = 1000


class AlignmentService:
    """The methods of the contract.

    Args:
        pipeline: takes requests to the models.
        catalogue: the served models.
        health: which of them are ready.
        metrics: where to count.
        most_calls: how many alignments may be under way, waiting ones included; each may hold a whole message.
    """

    def __init__(
        self, pipeline: Pipeline, catalogue: Catalogue, health: Health, metrics: Metrics, most_calls: int
    ) -> None:
        self._pipeline = pipeline
        self._catalogue = catalogue
        self._health = health
        self._metrics = metrics
        self._most_calls = most_calls
        self.draining = asyncio.Event()
        self.idle = asyncio.Event()
        self.idle.set()
        self._calls = 0

    def handler(self) -> "grpc.GenericRpcHandler[bytes, bytes]":
        """The methods as gRPC registers them."""
        methods = {
            "Align": grpc.unary_unary_rpc_method_handler(self.align),
            "AlignStream": grpc.stream_stream_rpc_method_handler(self.align_stream),
            "ListModels": grpc.unary_unary_rpc_method_handler(self.list_models),
        }
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    async def align(self, body: bytes, context: Context) -> bytes:
        """One image; refused at once when there is no room."""
        record = Record(self._metrics, "Align", _deadline(context), uuid.uuid4().hex)
        try:
            if self._is_full:
                raise _one_too_many()
            with self._counted():
                answer = await self._align(body, record, context)
        except asyncio.CancelledError:
            record.close_abandoned()
            raise
        except Exception as error:
            await abort(context, record.close_failed(error))
        record.close(outcome_code(answer))
        if answer.HasField("error"):
            await abort(context, wire.error_from_pb(answer.error))
        return answer.response.SerializeToString()

    async def _align(self, body: bytes, record: Record, context: Context) -> pb.AlignStreamResponse:
        request = checks.parse(body)
        record.request_id = request.request_id or record.request_id
        model = self._pipeline.find(request)
        record.model = model.name
        request_context = RequestContext(record.request_id, _deadline(context), _traceparent(context))
        checked = await self._pipeline.check(body, request, model, request_context)
        self._pipeline.admit_now(checked)
        return await asyncio.shield(self._pipeline.dispatch(checked))

    async def align_stream(self, requests: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
        """Many images; held back while there is no room."""
        deadline_s = _deadline(context)
        if self._is_full:
            await abort(context, Record(self._metrics, "AlignStream", deadline_s).close_failed(_one_too_many()))
        session = StreamSession(self._pipeline, self._metrics, deadline_s, _traceparent(context), self.draining)
        async with aclosing(session.answers(requests)) as answers:
            with self._counted():
                async for answer in answers:
                    yield answer
        if self.draining.is_set():
            message = "the server is shutting down: open a new stream and send again what was not answered"
            await abort(context, ModelUnavailable(message, retry_after_ms=_RETRY_MS))

    async def list_models(self, _body: bytes, _context: Context) -> bytes:
        """What is served."""
        models = [self._describe(model) for model in self._catalogue.models]
        return pb.ListModelsResponse(models=models).SerializeToString()

    @property
    def _is_full(self) -> bool:
        return self._calls >= self._most_calls

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Keep `idle` clear while a call is at work."""
        self._calls += 1
        self.idle.clear()
        try:
            yield
        finally:
            self._calls -= 1
            if self._calls == 0:
                self.idle.set()

    def _describe(self, model: ServedModel) -> pb.Model:
        return pb.Model(
            identity=pb.ModelIdentity(name=model.name, version=model.version, weights_digest=model.weights_digest),
            ready=self._health.is_ready(model),
            has_opt_out=model.has_opt_out,
            grid_rows=model.grid_rows,
            grid_cols=model.grid_cols,
            frame_width=model.frame_width,
            frame_height=model.frame_height,
            max_word_pieces=model.max_word_pieces,
        )


def _one_too_many() -> Overloaded:
    return Overloaded("the server has all the calls that it can hold: try again later", retry_after_ms=_RETRY_MS)


def _deadline(context: Context) -> float | None:
    """The caller's deadline on the monotonic clock in seconds, or None."""
    remaining = context.time_remaining()
    return None if remaining is None else time.monotonic() + remaining


def _traceparent(context: Context) -> str:
    for key, value in context.invocation_metadata() or ():
        if key == "traceparent" and isinstance(value, str):
            return value
    return ""
