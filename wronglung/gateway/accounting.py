"""The books: a record per request for the metrics, a line per call for the audit, whatever became of them."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from wronglung.defects import where
from wronglung.envelope import is_late
from wronglung.errors import DeadlineExceeded, InternalError, WronglungError
from wronglung.gateway import audit
from wronglung.gateway.call import Call, Context
from wronglung.gateway.health import SERVICE
from wronglung.gateway.metrics import UNKNOWN_MODEL, Metrics
from wronglung.gateway.status import abort
from wronglung.served import ServedModel
from wronglung.tracing import Span, Tracer
from wronglung.v1 import alignment_pb2 as pb

OK = "OK"
CANCELLED = "CANCELLED"
"""The caller left."""
_log = logging.getLogger(__name__)


class Record:
    """One request from its arrival to its answer.

    Args:
        metrics: where to count.
        call: the call that it came by.
        request_id: stands for the request in logs and answers until its own id is known.
    """

    def __init__(self, metrics: Metrics, call: Call, request_id: str = "") -> None:
        self._metrics = metrics
        self._call = call
        self._started = time.monotonic()
        self._model = UNKNOWN_MODEL
        self.request_id = request_id

    def read(self, request: pb.AlignRequest) -> None:
        """The message is a request."""
        self._call.tally.images += bool(request.image)
        self._call.tally.sentences += len(request.sentences)

    def names(self, model: ServedModel) -> None:
        """The request names a model that is served."""
        self._model = model.label
        self._call.tally.models.add(f"{model.name} {model.version}")

    def close(self, code: str = OK) -> None:
        """The request was answered by this code."""
        seconds = time.monotonic() - self._started
        self._metrics.requests.labels(self._model, self._call.method, code).inc()
        self._metrics.request_seconds.labels(self._model, self._call.method, code).observe(seconds)
        if code != OK:
            self._call.tally.failed[code] += 1

    def close_abandoned(self) -> None:
        """The caller waits no longer: because its deadline has passed, or of its own accord."""
        self.close(_abandoned(self._call))

    def close_failed(self, error: BaseException) -> WronglungError:
        """The request failed; returns the error to answer by. A defect of the gateway is logged and hidden."""
        typed = typed_error(error, self.request_id)
        if isinstance(error, InternalError):
            extra = {"request_id": self.request_id, "model": self._model, "error": str(error)}
            _log.error("model failed", extra=extra)
        self.close(typed.code)
        return typed

    @contextmanager
    def closing(self) -> Iterator[None]:
        """Close the record as the block ends.

        Raises:
            WronglungError: the block failed.
        """
        try:
            yield
        except asyncio.CancelledError:
            self.close_abandoned()
            raise
        except Exception as error:
            raise self.close_failed(error) from error
        self.close()


def typed_error(error: BaseException, request_id: str) -> WronglungError:
    """The error to answer by: itself, or one that hides a defect of the gateway, which is logged."""
    if isinstance(error, WronglungError):
        return error
    _log.error("request failed", extra={"request_id": request_id, "defect": where(error)})
    return InternalError(f"the server failed; its log has the details under {request_id!r}")


@asynccontextmanager
async def answering(call: Call, context: Context, tracer: Tracer) -> AsyncIterator[None]:
    """Account for one call by a span and an audit line, and end it by the block's error if there is one."""
    with tracer.span(f"{SERVICE}/{call.method}", call.trace, "server") as span:
        call.trace = span.context
        try:
            yield
        except Exception as error:
            typed = typed_error(error, call.call_id)
            _close(call, span, typed.code)
            await abort(context, typed, call.tally.request_id or call.call_id)
        except BaseException:  # the caller is gone, or the server is being stopped
            _close(call, span, _abandoned(call))
            raise
        else:
            _close(call, span, OK)


def _abandoned(call: Call) -> str:
    return DeadlineExceeded.code if is_late(call.deadline_s) else CANCELLED


def _close(call: Call, span: Span, code: str) -> None:
    tally = call.tally
    span.set({"rpc.system": "grpc", "rpc.service": SERVICE, "rpc.method": call.method, "wronglung.code": code})
    span.set({"wronglung.images": tally.images, "wronglung.sentences": tally.sentences, "wronglung.bytes": tally.bytes})
    if code != OK:
        span.fail(code)
    audit.write(
        {
            "call_id": call.call_id,
            "request_id": tally.request_id,
            "trace_id": call.trace.trace_id,
            "caller": call.caller,
            "peer": call.peer,
            "method": call.method,
            "models": sorted(tally.models),
            "images": tally.images,
            "sentences": tally.sentences,
            "bytes": tally.bytes,
            "code": code,
            "failed": dict(tally.failed),
            "seconds": round(time.monotonic() - call.started_s, 4),
            "waiting_seconds": round(tally.waiting_seconds, 4),
            "reading_seconds": round(tally.reading_seconds, 4),
            "torchserve_seconds": round(tally.torchserve_seconds, 4),
        }
    )
