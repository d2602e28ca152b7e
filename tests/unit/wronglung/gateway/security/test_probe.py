"""The port for probes: health of the whole, in plaintext, and nothing else."""

import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.authority import Authority
from tests.gateway_fakes import FakeTorchServe, RunningGateway, request, running_gateway
from wronglung.v1.alignment_pb2_grpc import AlignmentServiceStub

WHOLE = "wronglung.v1.AlignmentService"


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture
async def front(tmp_path: Path, port: int) -> AsyncIterator[RunningGateway]:
    security = replace(Authority(tmp_path / "ours").server(mutual=True), probe_port=port)
    async with running_gateway(tmp_path, FakeTorchServe(), security=security) as running:
        yield running


@pytest.fixture
async def channel(front: RunningGateway, port: int) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel


@pytest.mark.parametrize("service", ["", WHOLE])
async def test_the_health_of_the_whole_needs_neither_tls_nor_token(channel: grpc.aio.Channel, service: str) -> None:
    answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize("service", ["", WHOLE])
async def test_the_whole_is_that_of_all_models(front: RunningGateway, channel: grpc.aio.Channel, service: str) -> None:
    not_serving = health_pb2.HealthCheckResponse.NOT_SERVING
    front.gateway.health.board.set(f"{WHOLE}/encoder-optout", not_serving)
    answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service))
    assert answer.status == not_serving


@pytest.mark.parametrize("model", ["encoder", "no-such-model"])
async def test_no_model_is_known_there(channel: grpc.aio.Channel, model: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=f"{WHOLE}/{model}"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_nothing_else_is_served_there(channel: grpc.aio.Channel) -> None:
    for call in (
        AlignmentServiceStub(channel).Align(request()),
        health_pb2_grpc.HealthStub(channel).List(health_pb2.HealthListRequest()),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_taken_port_is_named(tmp_path: Path, front: RunningGateway, port: int) -> None:
    security = replace(Authority(tmp_path / "others").server(), probe_port=port)
    with pytest.raises(OSError, match=f"--probe-port {port}"):
        async with running_gateway(tmp_path, FakeTorchServe(), security=security):
            pass
