"""The supervisor, with shell scripts in the place of Java and the gateway."""

import asyncio
import dataclasses
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wronglung.supervisor.supervisor import PartFailed, Patience, Supervisor

QUICK = Patience(
    startup_s=20,
    sick_s=0.5,
    gateway_s=0.5,
    newborn_s=0,
    gateway_drain_s=5,
    backend_drain_s=5,
    first_backoff_s=0.02,
    longest_backoff_s=0.1,
    restarts=3,
)
JAVA = """
trap 'echo java stopped >> order; exit 0' TERM
echo started >> java
while [ ! -e die ]; do sleep 0.02; done
exit 9
"""
GATEWAY = """
import json, pathlib, signal, sys, time
def stop(*_):
    with open("order", "a") as order: order.write("gateway stopped\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
with open("gateway", "a") as starts: starts.write(" ".join(sys.argv[1:]) + "\\n")
listening = {"target": "127.0.0.1:4711", "port": 4711, "metrics_port": 4712, "metrics_url": "http://127.0.0.1:4712/metrics"}
print(json.dumps({"listening": listening}), flush=True)
last = None
while not pathlib.Path("gateway-die").exists():
    failing = pathlib.Path("failing").read_text().split()
    if failing != last: print(json.dumps({"failing": failing}), flush=True)
    last = failing
    time.sleep(0.02)
pathlib.Path("gateway-die").unlink()
sys.exit(3)
"""


class FakeTorchServe:
    """As much of a `TorchServe` as the supervisor asks for."""

    name = "TorchServe"

    def __init__(self, directory: Path, java: str) -> None:
        self.directory = self.logs = directory
        self._java = java
        self.failure: str | None = None

    def command(self) -> list[str]:
        return ["sh", "-c", self._java]

    def environment(self) -> dict[str, str]:
        return dict(os.environ)

    def setup_failure(self) -> str | None:
        return self.failure

    def stages(self) -> dict[str, str]:
        return {"encoder": "warms up", "encoder-optout": "reads its weights"}

    def last_words(self) -> str:
        return "the end of the log"


class Stage:
    """A supervisor, its fakes, and what became of them."""

    def __init__(
        self, directory: Path, *, java: str = JAVA, patience: Patience = QUICK, command: list[str] | None = None
    ):
        self.directory = directory
        self.torchserve = FakeTorchServe(directory, java)
        self.said: list[str] = []
        self.waited: list[str] = []
        (directory / "failing").write_text("")
        torchserve: Any = self.torchserve
        self.supervisor = Supervisor(
            torchserve,
            [sys.executable, "-c", GATEWAY],
            port=0,
            metrics_port=0,
            command=command or [],
            say=self.said.append,
            on_wait=self.waited.append,
            patience=patience,
        )

    def lines(self, name: str) -> list[str]:
        path = self.directory / name
        return path.read_text().splitlines() if path.exists() else []

    async def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain; said: {self.said}"
            await asyncio.sleep(0.01)

    async def ready(self, times: int = 1) -> None:
        await self.until(lambda: sum(line.startswith("ready on") for line in self.said) >= times)
        await self.until(lambda: bool(self.lines("java")))


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Stage]:
    monkeypatch.chdir(tmp_path)
    return lambda **options: Stage(tmp_path, **options)


def stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


async def test_a_signal_stops_the_gateway_before_java(stage: Callable[..., Stage]) -> None:
    running = stage()
    status = asyncio.create_task(running.supervisor.run())
    await running.ready()
    stop()
    assert await status == 0
    assert running.lines("order") == ["gateway stopped", "java stopped"]


async def test_is_not_ready_while_a_model_fails_its_canary(stage: Callable[..., Stage]) -> None:
    running = stage()
    (running.directory / "failing").write_text("encoder-optout")
    status = asyncio.create_task(running.supervisor.run())
    await running.until(lambda: bool(running.lines("gateway")))
    await asyncio.sleep(0.3)
    assert running.said == []
    (running.directory / "failing").write_text("")
    await running.ready()
    assert running.said == ["ready on 127.0.0.1:4711, metrics on http://127.0.0.1:4712/metrics"]
    stop()
    await status


async def test_says_of_each_model_what_a_start_waits_for_until_it_is_ready(stage: Callable[..., Stage]) -> None:
    running = stage()
    (running.directory / "failing").write_text("encoder-optout")
    status = asyncio.create_task(running.supervisor.run())
    what = " s: encoder is ready, encoder-optout reads its weights"
    await running.until(lambda: any(said.endswith(what) for said in running.waited))
    (running.directory / "failing").write_text("")
    await running.ready()
    count = len(running.waited)
    await asyncio.sleep(0.6)
    assert len(running.waited) == count
    stop()
    await status


async def test_a_command_is_told_where_to_find_the_server_and_gives_its_status(stage: Callable[..., Stage]) -> None:
    script = "import json, os, sys; json.dump(dict(os.environ), open('environment', 'w')); sys.exit(5)"
    running = stage(command=[sys.executable, "-c", script])
    assert await running.supervisor.run() == 5
    environment = json.loads((running.directory / "environment").read_text())
    assert environment["WRONGLUNG_TARGET"] == "127.0.0.1:4711"
    assert environment["WRONGLUNG_METRICS_URL"] == "http://127.0.0.1:4712/metrics"
    assert running.lines("order")[0] == "gateway stopped"


async def test_a_signal_ends_the_command_first(stage: Callable[..., Stage]) -> None:
    script = "trap 'echo command stopped >> order; exit 6' TERM; touch running; while true; do sleep 0.02; done"
    running = stage(command=["sh", "-c", script])
    status = asyncio.create_task(running.supervisor.run())
    await running.ready()
    await running.until((running.directory / "running").exists)
    stop()
    assert await status == 6
    assert running.lines("order") == ["command stopped", "gateway stopped", "java stopped"]


async def test_java_that_ends_before_it_is_ready_ends_the_start_with_its_log(stage: Callable[..., Stage]) -> None:
    running = stage(java="exit 4")
    (running.directory / "failing").write_text("encoder")
    with pytest.raises(PartFailed, match="TorchServe ended with status 4 before it was ready\nthe end of the log"):
        await running.supervisor.run()
    assert running.lines("order") in ([], ["gateway stopped"])


async def test_a_model_that_cannot_be_set_up_ends_the_start_at_once(stage: Callable[..., Stage]) -> None:
    running = stage()
    (running.directory / "failing").write_text("encoder")
    running.torchserve.failure = "the weights are damaged"
    with pytest.raises(PartFailed, match="a model cannot be served: the weights are damaged"):
        await running.supervisor.run()


async def test_a_start_takes_only_so_long(stage: Callable[..., Stage]) -> None:
    running = stage(patience=Patience(startup_s=0.8))
    (running.directory / "failing").write_text("encoder")
    with pytest.raises(PartFailed, match=r"no answer from (encoder|the gateway) in"):
        await running.supervisor.run()


async def test_java_that_dies_is_started_again(stage: Callable[..., Stage]) -> None:
    running = stage()
    status = asyncio.create_task(running.supervisor.run())
    await running.ready()
    (running.directory / "die").touch()
    await running.until(lambda: "TorchServe ended with status 9; starting it again in 0.02 s" in running.said)
    (running.directory / "die").unlink()
    await running.until(lambda: len(running.lines("java")) >= 2)
    stop()
    assert await status == 0


async def test_a_gateway_that_dies_is_started_again_at_the_same_ports(stage: Callable[..., Stage]) -> None:
    running = stage()
    status = asyncio.create_task(running.supervisor.run())
    await running.ready()
    (running.directory / "gateway-die").touch()
    await running.until(lambda: len(running.lines("gateway")) == 2)
    assert running.lines("gateway") == ["--port=0 --metrics-port=0", "--port=4711 --metrics-port=4712"]
    assert len(running.lines("java")) == 1
    stop()
    assert await status == 0


async def test_gives_up_on_a_part_that_dies_again_and_again(stage: Callable[..., Stage]) -> None:
    running = stage()
    status = asyncio.create_task(running.supervisor.run())
    await running.ready()
    (running.directory / "die").touch()
    with pytest.raises(PartFailed, match="TorchServe ended 4 times in a row"):
        await status
    assert running.lines("order") == ["gateway stopped"]


async def test_java_is_restarted_when_a_model_stays_sick(stage: Callable[..., Stage]) -> None:
    running = stage()
    status = asyncio.create_task(running.supervisor.run())
    await running.ready()
    (running.directory / "failing").write_text("encoder")
    await running.until(lambda: "still no answer from encoder; restarting TorchServe" in running.said)
    (running.directory / "failing").write_text("")
    await running.ready(times=2)
    await running.until(lambda: len(running.lines("java")) == 2)
    stop()
    assert await status == 0


async def test_java_is_left_alone_while_it_brings_up_a_worker(stage: Callable[..., Stage]) -> None:
    """A restart would throw away how far the worker has come, and take those of other models along."""
    worker = "sleep 60 &"  # the fake's own children come and go
    running = stage(java=worker + JAVA, patience=dataclasses.replace(QUICK, newborn_s=10))
    status = asyncio.create_task(running.supervisor.run())
    await running.ready()
    (running.directory / "failing").write_text("encoder")
    await asyncio.sleep(1.2)  # twice as long as a model may be sick
    assert not any("restarting" in said for said in running.said)
    (running.directory / "failing").write_text("")
    await running.ready(times=2)
    assert len(running.lines("java")) == 1
    stop()
    assert await status == 0


async def test_java_without_a_young_worker_is_not_waited_for(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wronglung.supervisor.parts.has_young_child", lambda *_: False)
    running = stage(patience=dataclasses.replace(QUICK, newborn_s=60))
    status = asyncio.create_task(running.supervisor.run())
    await running.ready()
    (running.directory / "failing").write_text("encoder")
    await running.until(lambda: "still no answer from encoder; restarting TorchServe" in running.said)
    stop()
    assert await status == 0


async def test_java_is_restarted_though_some_worker_is_always_young_when_a_model_stays_sick_for_long(
    stage: Callable[..., Stage],
) -> None:
    """A worker of another model dies and is brought up, again and again."""
    restless = JAVA.replace("sleep 0.02", "sleep 1 & sleep 0.1")
    running = stage(java=restless, patience=dataclasses.replace(QUICK, newborn_s=1.5))
    status = asyncio.create_task(running.supervisor.run())
    await running.ready()
    started = time.monotonic()
    (running.directory / "failing").write_text("encoder")
    await running.until(lambda: "still no answer from encoder; restarting TorchServe" in running.said)
    assert time.monotonic() - started > QUICK.sick_s + 1.5
    (running.directory / "failing").write_text("")
    await running.ready(times=2)
    await running.until(lambda: len(running.lines("java")) == 2)
    stop()
    assert await status == 0


async def test_a_gateway_that_dies_hides_a_model_that_stays_sick_for_as_long_as_it_needs_to_look(
    stage: Callable[..., Stage],
) -> None:
    running = stage(patience=dataclasses.replace(QUICK, startup_s=300, gateway_s=1.5))
    status = asyncio.create_task(running.supervisor.run())
    await running.ready()
    (running.directory / "failing").write_text("encoder")
    await running.until(lambda: "no answer from encoder" in running.said)
    (running.directory / "gateway-die").touch()
    await running.until(lambda: any(said.startswith("the gateway ended") for said in running.said))
    died = time.monotonic()
    await running.until(lambda: "still no answer from encoder; restarting TorchServe" in running.said)
    assert 1.5 < time.monotonic() - died < 15
    stop()
    assert await status == 0


async def test_a_second_signal_does_not_wait_for_anyone(stage: Callable[..., Stage]) -> None:
    running = stage(
        java="trap '' TERM; echo started >> java; while true; do sleep 0.02; done",
        patience=Patience(backend_drain_s=60),
    )
    status = asyncio.create_task(running.supervisor.run())
    await running.ready()
    stop()
    await running.until(lambda: running.lines("order") == ["gateway stopped"])
    started = time.monotonic()
    stop()
    assert await status == 0
    assert time.monotonic() - started < 10


async def test_stopped_before_it_was_ready_the_command_never_runs(stage: Callable[..., Stage]) -> None:
    running = stage(command=["touch", "ran"])
    (running.directory / "failing").write_text("encoder")
    status = asyncio.create_task(running.supervisor.run())
    await running.until(lambda: bool(running.lines("gateway")))
    stop()
    assert await status == 128 + signal.SIGTERM
    assert not (running.directory / "ran").exists()


async def test_a_signal_while_the_command_is_being_started_ends_it(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    start_process = asyncio.create_subprocess_exec

    async def interrupted(*command: str, **options: Any) -> Any:
        if "600" in command:
            stop()
            await asyncio.sleep(0.1)
        return await start_process(*command, **options)

    monkeypatch.setattr("asyncio.create_subprocess_exec", interrupted)
    running = stage(command=["sleep", "600"])
    assert await asyncio.wait_for(running.supervisor.run(), 20) == 128 + signal.SIGTERM


async def test_a_command_that_does_not_exist_is_named(
    stage: Callable[..., Stage], capfd: pytest.CaptureFixture[str]
) -> None:
    running = stage(command=["no-such-command"])
    assert await running.supervisor.run() == 127
    assert "cannot run 'no-such-command': No such file or directory" in capfd.readouterr().err


async def test_outlives_the_terminal_under_nohup(stage: Callable[..., Stage]) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        running = stage()
        status = asyncio.create_task(running.supervisor.run())
        await running.ready()
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0.1)
        assert not status.done()
        assert running.lines("order") == []
        stop()
        assert await status == 0
    finally:
        signal.signal(signal.SIGHUP, before)
