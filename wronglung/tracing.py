"""Spans, where an OpenTelemetry endpoint is configured; where none is, trace contexts travel on and nothing is made.

Configured by OpenTelemetry's own environment variables: `OTEL_EXPORTER_OTLP_ENDPOINT` (or `…_TRACES_ENDPOINT`) turns
spans on, `OTEL_SDK_DISABLED=true` off. Spans are sent over gRPC. A span holds names, sizes and codes: never image
data, the text of a sentence, or the message of an exception.
"""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Literal, Protocol

from wronglung.trace_context import NO_TRACE, TraceContext

Kind = Literal["server", "client", "internal"]
Attribute = str | int | float
ENDPOINT_KEYS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOL_KEYS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


class Span(Protocol):
    """A piece of work that is being timed."""

    @property
    def context(self) -> TraceContext:
        """What the work that it has others do belongs to."""

    def set(self, attributes: Mapping[str, Attribute]) -> None:
        """Say more of it."""

    def fail(self, code: str) -> None:
        """It failed, with the name of an `ErrorCode` or the like."""


class Tracer(Protocol):
    """Makes spans."""

    def span(self, name: str, parent: TraceContext, kind: Kind = "internal") -> AbstractContextManager[Span]:
        """A span from the block's begin to its end, within `parent`; a parent without a trace begins one."""

    def close(self) -> None:
        """Send what is left, if that can be done soon."""


class Untraced:
    """A `Tracer` without spans, and the span that it gives: the parent's context is that of the work."""

    def __init__(self, context: TraceContext = NO_TRACE) -> None:
        self.context = context

    def span(self, name: str, parent: TraceContext, kind: Kind = "internal") -> "Untraced":
        """See `Tracer`."""
        return Untraced(parent)

    def close(self) -> None:
        """See `Tracer`."""

    def __enter__(self) -> "Untraced":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def set(self, attributes: Mapping[str, Attribute]) -> None:
        """See `Span`."""

    def fail(self, code: str) -> None:
        """See `Span`."""


def endpoint_key(environ: Mapping[str, str] = os.environ) -> str | None:
    """The variable that asks for spans, or None where nothing does.

    Raises:
        ValueError: what goes with it cannot be done; the message names the variable.
    """
    asked = next((key for key in ENDPOINT_KEYS if environ.get(key)), None)
    if asked is None or environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    if not environ[asked].startswith(("http://", "https://")):
        raise ValueError(f"{asked}={environ[asked]}: write it as http://collector.example:4317, or with https for TLS")
    for key in PROTOCOL_KEYS:
        if environ.get(key, "grpc") != "grpc":
            raise ValueError(f"{key}={environ[key]}: spans are sent over gRPC alone; leave it out, or set it to grpc")
    return asked


def open_tracer(service: str, environ: Mapping[str, str] = os.environ) -> Tracer:
    """What the environment asks for.

    Args:
        service: name of this part, unless `OTEL_SERVICE_NAME` says otherwise.
        environ: the environment.

    Raises:
        ValueError: it asks for what cannot be done; the message names the variable.
    """
    asked = endpoint_key(environ)
    if asked is None:
        return Untraced()
    try:
        from wronglung.tracing_otlp import OtlpTracer
    except ModuleNotFoundError as error:
        raise ValueError(f"{asked} is set, but {error}: pip install 'wronglung[trace]', or unset it") from error
    return OtlpTracer(environ.get("OTEL_SERVICE_NAME") or service)
