"""What happens to one request, whichever method it came by: checked, admitted, sent to the model, accounted for."""

import asyncio
import random
import time
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from wronglung.envelope import RequestContext, is_late
from wronglung.errors import RETRY_MS, DeadlineExceeded, InternalError, ModelUnavailable, Overloaded, RequestInvalid
from wronglung.gateway import checks
from wronglung.gateway.admission import Admission, Place, Refusal
from wronglung.gateway.audit import Tally
from wronglung.gateway.call import Call
from wronglung.gateway.health import Health, Sign
from wronglung.gateway.intake import Message
from wronglung.gateway.load import Capacity, Load
from wronglung.gateway.metrics import Metrics
from wronglung.gateway.security.callers import Caller
from wronglung.gateway.upstream import TorchServeClient
from wronglung.served import Catalogue, ServedModel
from wronglung.trace_context import TraceContext
from wronglung.tracing import Tracer
from wronglung.v1 import alignment_pb2 as pb

_LONGEST_CALL_S = 1200.0
"""Two batches of the longest `responseTimeout` (600 s): before that TorchServe has answered, or killed its worker."""
_APART_S = 1.0
"""What was left undone in one batch is sent again within so long, at random, so that it is not one batch again."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A request that passed every check. The request itself is kept only as it came, not once more in parts."""

    message: Message
    model: ServedModel
    load: Load
    answer_bytes: int
    """The answer is no longer."""
    sentences: int
    context: RequestContext
    trace: TraceContext
    tally: Tally
    party: str
    """Who shares what is allotted to one caller."""


class Pipeline:
    """Takes requests to the models.

    Args:
        catalogue: the served models.
        upstream: TorchServe.
        health: asked whether a model is ready, told how its requests fare.
        metrics: where to count.
        tracer: makes a span of each request at TorchServe.
    """

    def __init__(
        self, catalogue: Catalogue, upstream: TorchServeClient, health: Health, metrics: Metrics, tracer: Tracer
    ) -> None:
        self._catalogue = catalogue
        self._upstream = upstream
        self._health = health
        self._metrics = metrics
        self._tracer = tracer
        self._admissions = {model: _admission(model, metrics) for model in catalogue.models}
        for model in catalogue.models:  # a figure that is not there yet would be taken for one that is lost
            metrics.in_flight.labels(model.label)

    def find(self, request: pb.AlignRequest, caller: Caller) -> ServedModel:
        """The model that a request asks for, if it exists for the caller.

        Raises:
            RequestInvalid: it names none.
            ModelUnknown: it is not served to this caller.
        """
        if not request.model_name:
            raise RequestInvalid("no model is named: ListModels tells which there are", field="model_name")
        return caller.view(self._catalogue).find(request.model_name, request.model_version)

    async def check(
        self, message: Message, request: pb.AlignRequest, model: ServedModel, call: Call, request_id: str
    ) -> Checked:
        """Hold a request of a call against the limits.

        Raises:
            WronglungError: it cannot be served.
        """
        load, answer_bytes = await checks.check(request, len(message.body), model)
        self._require_ready(model)
        context = RequestContext(request_id, call.deadline_s)
        sentences = len(request.sentences)
        return Checked(message, model, load, answer_bytes, sentences, context, call.trace, call.tally, call.party)

    def admit_now(self, checked: Checked) -> Place:
        """Let a unary call in.

        Raises:
            Overloaded: there is no room.
        """
        entered = self._admissions[checked.model].try_enter(checked.load, checked.party)
        if isinstance(entered, Refusal):
            message = f"model {checked.model.name} has all the work it can take: try again later"
            raise Overloaded(message, retry_after_ms=entered.retry_after_ms)
        return entered

    async def admit_in_turn(self, checked: Checked) -> Place:
        """Let a stream's request in when there is room; until then its stream is not read on.

        Raises:
            ModelUnavailable: when its turn came, the model was no longer ready.
        """
        place = await self._turn(checked)
        try:
            self._require_ready(checked.model)
        except ModelUnavailable:
            place.leave(None)
            raise
        return place

    async def _turn(self, checked: Checked) -> Place:
        with checked.tally.waiting(), self._metrics.queue_seconds.labels(checked.model.label).time():
            return await self._admissions[checked.model].enter(checked.load, checked.party)

    def _require_ready(self, model: ServedModel) -> None:
        if not self._health.is_ready(model):
            raise ModelUnavailable(f"model {model.name} is not ready: try again", retry_after_ms=RETRY_MS)

    def dispatch(self, checked: Checked, place: Place) -> "asyncio.Future[pb.AlignStreamResponse]":
        """Send an admitted request to its model; the result is the model's answer, or a `WronglungError`.

        A caller that goes away, or whose deadline passes, must not cancel it, only stop waiting: TorchServe holds the
        message until its turn comes, and the room that the request takes up is given back when that is over.
        """
        model, started = checked.model, time.monotonic()
        in_flight = self._metrics.in_flight.labels(model.label)
        call = asyncio.ensure_future(self._call(checked))
        self._metrics.sentences.labels(model.label).observe(checked.sentences)
        in_flight.inc()
        self._health.began(model, self._admissions[model].patience_s)

        def settle(done: "asyncio.Future[pb.AlignStreamResponse]") -> None:
            seconds = time.monotonic() - started
            checked.message.release()
            checked.tally.torchserve_seconds += seconds
            place.leave(seconds)
            self._metrics.torchserve_seconds.labels(model.label).observe(seconds)
            in_flight.dec()
            self._health.ended(model, answered=_is_answered(done), sign=_sign(done))

        call.add_done_callback(settle)
        return call

    async def _call(self, checked: Checked) -> pb.AlignStreamResponse:
        context, model = checked.context, checked.model
        if context.expired:
            raise DeadlineExceeded("the deadline passed before the work was begun: allow more time")
        with self._tracer.span("torchserve", checked.trace, "client") as span:
            span.set({"wronglung.model": model.name, "wronglung.request_id": context.request_id})
            sent, began_s = context.within(span.context), time.monotonic()
            answer = await self._answer(checked, sent, _LONGEST_CALL_S)
            took_s = time.monotonic() - began_s
            # As long as that again, or its caller would not even be told that it may try once more.
            if not _left_undone(answer) or is_late(context.deadline_monotonic_s, took_s + _APART_S):
                return answer
            span.set({"wronglung.sent_again": 1})
            await asyncio.sleep(random.uniform(0, _APART_S))
            return await self._answer(checked, sent, max(_APART_S, _LONGEST_CALL_S - took_s))

    async def _answer(self, checked: Checked, sent: RequestContext, timeout_s: float) -> pb.AlignStreamResponse:
        model, body = checked.model, checked.message.body
        answer = await self._upstream.predict(model.name, model.version, body, sent, timeout_s)
        return parse_answer(answer, sent.request_id)


def _admission(model: ServedModel, metrics: Metrics) -> Admission:
    capacity = Capacity.for_model(model.workers, model.batch_size, model.queue_size, model.response_s)
    return Admission(capacity, metrics.waiting.labels(model.label))


def parse_answer(answer: bytes, request_id: str) -> pb.AlignStreamResponse:
    """Read what the handler answered.

    Raises:
        InternalError: it is not an answer.
    """
    nonsense = InternalError(f"the model's answer makes no sense; look for {request_id!r} in the server's log")
    try:
        response = pb.AlignStreamResponse.FromString(answer)
    except DecodeError as error:
        raise nonsense from error
    if response.WhichOneof("outcome") is None:
        raise nonsense
    return response


def _left_undone(answer: pb.AlignStreamResponse) -> bool:
    """Whether the handler did nothing for a request because images beside it were damaged
    (`wronglung.images.allowance`)."""
    return answer.error.code == pb.ERROR_CODE_OVERLOADED


def _is_answered(done: "asyncio.Future[pb.AlignStreamResponse]") -> bool:
    """Whether the model itself gave an answer or an error."""
    return not done.cancelled() and done.exception() is None


def _sign(done: "asyncio.Future[pb.AlignStreamResponse]") -> Sign:
    """What the fate of a request says of its model's health."""
    if done.cancelled():
        return Sign.NOTHING
    error = done.exception()
    if error is None:
        return _sign_of_answer(done.result())
    if isinstance(error, ModelUnavailable):
        return Sign.DOWN
    return Sign.FAILED if isinstance(error, InternalError) else Sign.NOTHING


def _sign_of_answer(answer: pb.AlignStreamResponse) -> Sign:
    """Like `_sign`. An answer in which every single sentence met a defect is no better than that error alone."""
    if answer.HasField("error"):
        return _SIGNS.get(answer.error.code, Sign.NOTHING)
    codes = {result.error.code if result.HasField("error") else None for result in answer.response.results}
    return Sign.FAILED if codes == {pb.ERROR_CODE_INTERNAL} else Sign.WELL


_SIGNS = {pb.ERROR_CODE_MODEL_UNAVAILABLE: Sign.DOWN, pb.ERROR_CODE_INTERNAL: Sign.FAILED}
