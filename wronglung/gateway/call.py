"""One call as it arrives: whose it is, how long there is time, and under which ids it is told of."""

import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_network
from urllib.parse import unquote

import grpc.aio

from wronglung import trace_context, wire
from wronglung.errors import RequestInvalid
from wronglung.gateway.audit import Tally
from wronglung.trace_context import NO_TRACE, TraceContext

Context = grpc.aio.ServicerContext[bytes, bytes]
REQUEST_ID_KEY = "x-request-id"
NOBODY = "-"
"""Name of a caller who was not asked who it is."""


@dataclass(slots=True)
class Call:
    """One call of a method, from its arrival."""

    method: str
    """"Align", "AlignStream" or "ListModels"."""
    call_id: str
    """The caller's `x-request-id`, or one that was made up."""
    deadline_s: float | None = None
    """When the caller stops waiting, on the monotonic clock; None: never."""
    trace: TraceContext = NO_TRACE
    peer: str = NOBODY
    """Where it comes from, as gRPC says it, e.g. "ipv4:10.0.0.7:51234"."""
    caller: str = NOBODY
    """Who calls, once that is known."""
    started_s: float = field(default_factory=time.monotonic)
    tally: Tally = field(default_factory=Tally)
    """What it asked for so far, and how that went."""

    @property
    def party(self) -> str:
        """With whom the call shares what is allotted to one caller: who calls, or from which machine if nobody asks."""
        return self.caller if self.caller != NOBODY else machine(self.peer)

    @classmethod
    def of(cls, context: Context, method: str) -> "Call":
        """What gRPC knows of a call."""
        metadata = list(context.invocation_metadata() or ())
        remaining = context.time_remaining()
        return cls(
            method=method,
            call_id=_call_id(_values(metadata, REQUEST_ID_KEY)),
            deadline_s=None if remaining is None else time.monotonic() + remaining,
            trace=_trace(metadata),
            peer=context.peer() or NOBODY,
        )


def machine(peer: str) -> str:
    """The machine of a peer as gRPC says it; of IPv6 the /64, within which a machine may take any address."""
    kind, _, where = unquote(peer).partition(":")
    host = where.rpartition(":")[0].strip("[]").partition("%")[0]
    try:
        return str(ip_network((host, 64), strict=False)) if kind == "ipv6" else host or peer
    except ValueError:
        return peer


def _values(metadata: Iterable[tuple[str, str | bytes]], name: str) -> list[str]:
    return [value for key, value in metadata if key == name and isinstance(value, str)]


def _call_id(sent: list[str]) -> str:
    """The caller's id if it sent one that may stand in logs and answers; else a new one."""
    if len(sent) == 1 and sent[0]:
        try:
            wire.check_request_id(sent[0])
        except RequestInvalid:
            return uuid.uuid4().hex
        return sent[0]
    return uuid.uuid4().hex


def _trace(metadata: Iterable[tuple[str, str | bytes]]) -> TraceContext:
    parents = _values(metadata, "traceparent")
    if len(parents) != 1:
        return NO_TRACE
    return trace_context.parse(parents[0], ",".join(_values(metadata, "tracestate")))
