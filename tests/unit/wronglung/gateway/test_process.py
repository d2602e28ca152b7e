"""The gateway as a process of its own."""

import asyncio
import socket
import subprocess
import sys
import time
from pathlib import Path

from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.gateway_fakes import MODELS, FakeTorchServe, running_gateway
from wronglung.served import MODELS_FILE, write_models


def test_imports_neither_torch_nor_the_model_nor_torchserve() -> None:
    script = "import sys, wronglung.gateway.__main__; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "transformers", "ts", "wronglung.model"} & set(loaded)
    assert "wronglung.gateway.server" in loaded


def test_a_taken_port_ends_it_with_a_word(tmp_path: Path) -> None:
    write_models(MODELS, tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        flags = [f"--models={tmp_path / MODELS_FILE}", "--torchserve=127.0.0.1:1", f"--port={port}"]
        done = subprocess.run([sys.executable, "-m", "wronglung.gateway", *flags], capture_output=True, text=True)
    assert done.returncode == 1
    assert f"cannot listen on --port {port} of --host 127.0.0.1" in done.stderr


async def test_a_health_watch_that_never_ends_does_not_hold_up_a_stop(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, FakeTorchServe(), drain_s=60) as front:
        watch = health_pb2_grpc.HealthStub(front.channel).Watch(health_pb2.HealthCheckRequest(service=""))
        await watch.read()
        started = time.monotonic()
        await asyncio.wait_for(front.gateway.stop(), 30)
        assert time.monotonic() - started < 10
