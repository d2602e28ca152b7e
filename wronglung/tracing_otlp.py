"""Spans by OpenTelemetry's SDK, sent over gRPC. Imported only where an endpoint is configured."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from wronglung import __version__
from wronglung.trace_context import TraceContext
from wronglung.tracing import Attribute, Kind

_KINDS = {"server": trace.SpanKind.SERVER, "client": trace.SpanKind.CLIENT, "internal": trace.SpanKind.INTERNAL}
_DELAY_MS = 1000
"""How often spans are sent: a worker is given little time to end."""
_FLUSH_MS = 2000
_TIMEOUT_S = 2.0
"""To send a batch, unless the environment says otherwise: a stop must not wait long for a collector that is away."""
_TIMEOUT_KEYS = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
_propagator = TraceContextTextMapPropagator()


class OtlpTracer:
    """A `Tracer` that sends spans in the background: a collector that is away or slow costs spans, and no time.

    Args:
        service: name of this part.
    """

    def __init__(self, service: str) -> None:
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": service, "service.version": __version__}), shutdown_on_exit=False
        )
        timeout_s = None if any(os.environ.get(key) for key in _TIMEOUT_KEYS) else _TIMEOUT_S
        exporter = OTLPSpanExporter(timeout=timeout_s)
        self._provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=_DELAY_MS))
        self._tracer = self._provider.get_tracer("wronglung", __version__)

    @contextmanager
    def span(self, name: str, parent: TraceContext, kind: Kind = "internal") -> Iterator["OtlpSpan"]:
        """See `Tracer`."""
        carrier = {"traceparent": parent.traceparent, "tracestate": parent.tracestate}
        span = self._tracer.start_span(name, context=_propagator.extract(carrier), kind=_KINDS[kind])
        try:
            yield OtlpSpan(span)
        finally:
            span.end()

    def close(self) -> None:
        """See `Tracer`."""
        self._provider.force_flush(_FLUSH_MS)
        self._provider.shutdown()


class OtlpSpan:
    """A `Span`."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @property
    def context(self) -> TraceContext:
        """See `Span`."""
        carrier: dict[str, str] = {}
        _propagator.inject(carrier, context=trace.set_span_in_context(self._span))
        return TraceContext(carrier.get("traceparent", ""), carrier.get("tracestate", ""))

    def set(self, attributes: Mapping[str, Attribute]) -> None:
        """See `Span`."""
        self._span.set_attributes(dict(attributes))

    def fail(self, code: str) -> None:
        """See `Span`."""
        self._span.set_status(trace.StatusCode.ERROR, code)
