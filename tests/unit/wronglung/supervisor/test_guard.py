"""The guard, with a shell in the place of Java: nothing is left behind, however things end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from wronglung.supervisor.behind import NICENESS
from wronglung.supervisor.guard import PID_FILE, guarded
from wronglung.supervisor.tie import tied

JAVA_AND_WORKER = "sleep 600 & echo $! > worker.pid; touch started; "
DRAINS = "trap 'echo drained > drained; exit 0' TERM; " + JAVA_AND_WORKER + "wait"
STUBBORN = "trap '' TERM; " + JAVA_AND_WORKER + "while true; do sleep 1; done"
ENDS = JAVA_AND_WORKER + "sleep 0.2; exit 7"


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


class Guarded:
    """A guard with a shell under it, and the processes that must not survive."""

    def __init__(self, directory: Path, script: str, grace_s: float = 5) -> None:
        command = guarded(directory, grace_s, ["sh", "-c", script])
        self.directory = directory
        self.guard = subprocess.Popen(command, stdin=subprocess.PIPE, cwd=directory)
        eventually((directory / "started").exists)
        eventually((directory / PID_FILE).exists)
        self.java = int((directory / PID_FILE).read_text())
        self.worker = int((directory / "worker.pid").read_text())

    def gone(self) -> bool:
        return not (alive(self.java) or alive(self.worker))

    def clean_up(self) -> None:
        self.guard.kill()
        self.guard.wait()
        assert self.guard.stdin is not None
        self.guard.stdin.close()
        for pid in (self.java, self.worker):
            if alive(pid):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Guarded]]:
    started: list[Guarded] = []

    def start(script: str, **options: float) -> Guarded:
        directory = tmp_path / "instance"
        directory.mkdir()
        started.append(Guarded(directory, script, **options))
        return started[-1]

    yield start
    for each in started:
        each.clean_up()


def test_java_has_a_session_of_its_own(start: Callable[..., Guarded]) -> None:
    running = start(DRAINS)
    assert os.getsid(running.java) == running.java != os.getsid(0)


def test_java_and_its_workers_stand_back_behind_others(start: Callable[..., Guarded]) -> None:
    running, niceness = start(DRAINS), min(19, psutil.Process().nice() + NICENESS)
    assert [psutil.Process(pid).nice() for pid in (running.java, running.worker)] == [niceness] * 2


def test_when_java_ends_its_workers_go_and_the_guard_has_its_status(start: Callable[..., Guarded]) -> None:
    running = start(ENDS)
    assert running.guard.wait(10) == 7
    eventually(running.gone)


def test_when_java_is_killed_its_workers_go(start: Callable[..., Guarded]) -> None:
    running = start(DRAINS)
    os.kill(running.java, signal.SIGKILL)
    assert running.guard.wait(10) == 128 + signal.SIGKILL
    eventually(running.gone)


def test_sigterm_lets_java_drain(start: Callable[..., Guarded]) -> None:
    running = start(DRAINS)
    running.guard.terminate()
    assert running.guard.wait(10) == 0
    assert (running.directory / "drained").exists()
    eventually(running.gone)


def test_java_that_does_not_heed_sigterm_is_killed_when_its_time_is_up(start: Callable[..., Guarded]) -> None:
    running = start(STUBBORN, grace_s=0.3)
    running.guard.terminate()
    running.guard.wait(10)
    eventually(running.gone)


def test_when_the_supervisor_is_gone_java_drains_and_the_directory_goes(start: Callable[..., Guarded]) -> None:
    running = start("mkdir drains; " + DRAINS.replace("> drained", "> ../drained"))
    running.guard.stdin.close()
    running.guard.wait(10)
    eventually(running.gone)
    assert (running.directory.parent / "drained").exists()
    assert not running.directory.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties processes")
def test_when_the_guard_is_killed_java_dies_with_it(start: Callable[..., Guarded]) -> None:
    running = start(DRAINS)
    running.guard.kill()
    eventually(lambda: not alive(running.java))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties processes")
def test_a_tied_command_dies_with_its_parent(tmp_path: Path) -> None:
    script = "import subprocess, sys, time; from wronglung.supervisor.tie import tied; \
        p = subprocess.Popen(tied(['sleep', '600'])); print(p.pid, flush=True); time.sleep(600)"
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    eventually(lambda: psutil.Process(child).name() == "sleep")
    parent.kill()
    parent.wait()
    eventually(lambda: not alive(child))
    parent.stdout.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties processes")
def test_a_command_tied_to_a_parent_that_is_gone_already_does_not_run(tmp_path: Path) -> None:
    command = tied(["touch", str(tmp_path / "ran")])
    command[3] = "1"  # not the parent
    assert subprocess.run(command).returncode == -signal.SIGKILL
    assert not (tmp_path / "ran").exists()
