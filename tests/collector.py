"""An OpenTelemetry collector on loopback that keeps the spans it is sent."""

import threading
import time
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import add_TraceServiceServicer_to_server


@dataclass
class Collector:
    """Spans by the name of the service that sent them."""

    target: str = ""
    received: list[tuple[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def Export(self, request: Any, _context: Any) -> ExportTraceServiceResponse:
        for group in request.resource_spans:
            service = {each.key: each.value.string_value for each in group.resource.attributes}["service.name"]
            with self.lock:
                self.received += [(service, span) for scope in group.scope_spans for span in scope.spans]
        return ExportTraceServiceResponse()

    def spans(self, *names: str, trace_id: str = "", seconds: float = 20) -> list[Any]:
        """The first span of each name (of one trace, if its id is given), in turn, once they have all come."""
        deadline = time.monotonic() + seconds
        while True:
            with self.lock:
                asked = [span for _, span in self.received if trace_id in ("", span.trace_id.hex())]
            found = {span.name: span for span in reversed(asked)}
            if set(names) <= set(found):
                return [found[name] for name in names]
            assert time.monotonic() < deadline, f"only {sorted(found)} came"
            time.sleep(0.05)

    def text(self) -> str:
        """Everything that was sent, to be searched."""
        with self.lock:
            return "\n".join(str(span) for _, span in self.received)


@contextmanager
def collecting() -> Iterator[Collector]:
    """One that listens while the block lasts."""
    collector = Collector()
    server = grpc.server(futures.ThreadPoolExecutor(2))
    add_TraceServiceServicer_to_server(collector, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    collector.target = f"http://127.0.0.1:{port}"
    try:
        yield collector
    finally:
        server.stop(None)
