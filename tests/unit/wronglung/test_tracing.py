"""Spans: none without an endpoint, and with one those of the gateway's calls, within the caller's trace."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import grpc
import pytest

from tests.collector import Collector, collecting
from tests.gateway_fakes import FakeTorchServe, RunningGateway, failure_of, request, running_gateway
from wronglung.trace_context import NO_TRACE, TraceContext
from wronglung.tracing import Untraced, open_tracer

TRACE, CALLER_SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = TraceContext(f"00-{TRACE}-{CALLER_SPAN}-01", "vendor=1")
METADATA = (("traceparent", PARENT.traceparent), ("tracestate", PARENT.tracestate))
NOWHERE = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}


def test_without_an_endpoint_the_callers_context_is_that_of_the_work() -> None:
    tracer = open_tracer("test", {})
    with tracer.span("anything", PARENT) as span:
        assert span.context == PARENT
    assert isinstance(tracer, Untraced)


def test_without_an_endpoint_nothing_of_opentelemetry_is_loaded() -> None:
    script = "import sys, wronglung.gateway.__main__; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in loaded if name.startswith("opentelemetry")] == []


def test_opentelemetrys_own_switch_turns_spans_off() -> None:
    assert isinstance(open_tracer("test", {**NOWHERE, "OTEL_SDK_DISABLED": "true"}), Untraced)


def test_another_protocol_is_refused_by_the_name_of_its_variable() -> None:
    with pytest.raises(ValueError, match="OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"):
        open_tracer("test", {**NOWHERE, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"})


def test_an_endpoint_that_is_no_url_is_refused_by_the_name_of_its_variable() -> None:
    with pytest.raises(ValueError, match=r"OTEL_EXPORTER_OTLP_ENDPOINT=collector:4317: write it as http://"):
        open_tracer("test", {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317"})


def test_an_endpoint_without_the_packages_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wronglung.tracing_otlp", None)
    with pytest.raises(ValueError, match=r"OTEL_EXPORTER_OTLP_ENDPOINT is set.*wronglung\[trace\]"):
        open_tracer("test", NOWHERE)


async def traced(front: RunningGateway, collector: Collector) -> None:
    await front.stub.Align(request("one", sentences=["SECRET-SENTENCE"]), metadata=METADATA)
    server, client = await asyncio.to_thread(collector.spans, "wronglung.v1.AlignmentService/Align", "torchserve")
    assert server.trace_id.hex() == client.trace_id.hex() == TRACE
    assert server.parent_span_id.hex() == CALLER_SPAN
    assert client.parent_span_id == server.span_id
    assert (server.trace_state, client.trace_state) == ("vendor=1", "vendor=1")
    handed_on = front.torchserve.jobs[-1].context
    assert handed_on.traceparent == f"00-{TRACE}-{client.span_id.hex()}-01"
    assert handed_on.tracestate == "vendor=1"
    attributes = {each.key: each.value for each in server.attributes}
    assert attributes["wronglung.code"].string_value == "OK"
    assert attributes["wronglung.sentences"].int_value == 1


async def failed(front: RunningGateway, collector: Collector) -> None:
    collector.received.clear()
    await failure_of(front.stub.Align(request("two", image=b"SECRET-IMAGE", sentences=["SECRET-SENTENCE"])))
    (server,) = await asyncio.to_thread(collector.spans, "wronglung.v1.AlignmentService/Align")
    assert server.trace_id.hex() != TRACE  # the caller sent none: a trace begins here
    assert server.status.message == "ERROR_CODE_IMAGE_FORMAT_UNSUPPORTED"


async def test_calls_become_spans_in_the_callers_trace_and_hold_nothing_of_patients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.target)
        async with running_gateway(tmp_path, FakeTorchServe()) as front:
            await traced(front, collector)
            await failed(front, collector)
        assert "SECRET" not in collector.text()
        assert {service for service, _ in collector.received} == {"wronglung-gateway"}


async def test_a_collector_that_is_away_costs_no_call_and_no_long_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", NOWHERE["OTEL_EXPORTER_OTLP_ENDPOINT"])
    async with running_gateway(tmp_path, FakeTorchServe()) as front:
        call = front.stub.Align(request("one"), timeout=5)
        assert await call.code() is grpc.StatusCode.OK
        started = time.monotonic()
    assert time.monotonic() - started < 10


def test_a_span_without_parent_begins_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", NOWHERE["OTEL_EXPORTER_OTLP_ENDPOINT"])
    tracer = open_tracer("test")
    with tracer.span("first", NO_TRACE) as span:
        assert len(span.context.trace_id) == 32
