"""What travels beside a request from the gateway to the handler. Both import this; neither standard knows the other.

TorchServe's gRPC metadata never reaches a handler, so the deadline and the ids travel in the payload: one entry holds
the caller's `AlignRequest` untouched, the other this context as JSON.
"""

import json
import time
from dataclasses import asdict, dataclass, replace
from types import NoneType

from wronglung.trace_context import TraceContext

REQUEST_ENTRY = "request"
"""Name of the entry that holds the caller's serialised `AlignRequest`."""
CONTEXT_ENTRY = "context"
"""Name of the entry that holds the `RequestContext`."""


_CLOCKS_APART_S = 0.05


def is_late(deadline_monotonic_s: float | None, soon_s: float = _CLOCKS_APART_S) -> bool:
    """Whether a deadline has passed, or will in a moment: those who keep the same one do not notice at the same time.

    For telling why a call ended. Whether to begin work is asked of `RequestContext.expired`.
    """
    return deadline_monotonic_s is not None and time.monotonic() >= deadline_monotonic_s - soon_s


@dataclass(frozen=True, slots=True)
class RequestContext:
    """What the handler must know of a request besides the request."""

    request_id: str
    """The caller's id, or the one that the gateway made up."""
    deadline_monotonic_s: float | None = None
    """When the caller stops waiting, on this machine's monotonic clock in seconds; None: never."""
    traceparent: str = ""
    """The W3C trace context that the handler's work belongs to, or empty."""
    tracestate: str = ""
    """What the systems of that trace say of themselves, or empty."""

    @property
    def trace(self) -> TraceContext:
        """The trace context as one."""
        return TraceContext(self.traceparent, self.tracestate)

    def within(self, trace: TraceContext) -> "RequestContext":
        """The same request as part of a trace."""
        return replace(self, traceparent=trace.traceparent, tracestate=trace.tracestate)

    @property
    def expired(self) -> bool:
        """Whether the caller has stopped waiting."""
        return self.deadline_monotonic_s is not None and time.monotonic() >= self.deadline_monotonic_s

    def to_bytes(self) -> bytes:
        """Serialise for the envelope."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, data: bytes | bytearray) -> "RequestContext":
        """Read what `to_bytes` wrote.

        Raises:
            ValueError: not a serialised context.
        """
        try:
            context = cls(**json.loads(data))
        except (TypeError, RecursionError) as error:
            raise ValueError(f"not a request context: {error}") from error
        texts = (context.request_id, context.traceparent, context.tracestate)
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("not a request context: an id or a trace is not a text")
        if not isinstance(context.deadline_monotonic_s, (float, int, NoneType)):
            raise ValueError("not a request context: its deadline is not a number")
        return context
