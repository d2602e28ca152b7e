"""Run TorchServe so that nothing of it is left behind: ``python -m wronglung.supervisor.guard DIR GRACE_S COMMAND…``.

TorchServe is a Java process with Python workers as children; what is said of Java holds for any other backend. The
guard starts it in a session of its own (a Ctrl-C in the terminal must not reach it before the gateway has drained),
where it stands back behind the gateway (see `behind`), and outlives it:

* SIGTERM to the guard, or end of file on the guard's standard input (the supervisor is gone): SIGTERM to Java, which
  drains; after `GRACE_S` seconds SIGKILL.
* Java is gone, however it went: SIGKILL to what is left of its process group, that is, to the workers.
* The supervisor is gone: `DIR`, the private directory of the instance, is removed as well.
* The guard itself is killed: Java is tied to it and dies; its workers leave when their sockets close.

Standard library only.
"""

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from wronglung.supervisor.behind import behind
from wronglung.supervisor.tie import tied

PID_FILE = "backend.pid"
"""Name of the file in `DIR` that holds the guarded process's id, which is its session's and process group's as well."""


def guarded(directory: Path, grace_s: float, command: Sequence[str]) -> list[str]:
    """The command line that runs `command` under a guard."""
    return [sys.executable, "-m", "wronglung.supervisor.guard", str(directory), str(grace_s), *command]


def kill_group(pid: int) -> None:
    """SIGKILL every process of a process group, if there still is one."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _wait_for_end(java: subprocess.Popen[bytes], wake: int) -> bool:
    """Wait until Java ends, SIGTERM arrives or the supervisor is gone. Returns whether the supervisor is gone."""
    stdin = sys.stdin.fileno()
    while java.poll() is None:
        readable, _, _ = select.select([stdin, wake], [], [])
        if wake in readable and signal.SIGTERM in os.read(wake, 64):
            return False
        if stdin in readable and not os.read(stdin, 64):
            return True
    return False


def _stop(java: subprocess.Popen[bytes], grace_s: float) -> None:
    """SIGTERM, patience, and then SIGKILL to the whole group."""
    deadline = time.monotonic() + grace_s
    if java.poll() is None:
        java.terminate()
    with suppress(subprocess.TimeoutExpired):
        java.wait(max(0.0, deadline - time.monotonic()))
    kill_group(java.pid)
    java.wait()


def _write_whole(path: Path, text: str) -> None:
    """Write a file that no reader ever sees in part."""
    part = path.with_suffix(".part")
    part.write_text(text)
    part.replace(path)


def _wakeup_on_signals() -> int:
    """A file descriptor on which a byte per SIGTERM or SIGCHLD arrives."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    return read_end


def main(arguments: Sequence[str]) -> int:
    """Guard one command until its end; returns its exit status as a shell would give it."""
    directory, grace_s, *command = arguments
    wake = _wakeup_on_signals()
    java = subprocess.Popen(tied(behind(command)), stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
    _write_whole(Path(directory, PID_FILE), str(java.pid))
    orphaned = _wait_for_end(java, wake)
    _stop(java, float(grace_s))
    if orphaned:
        shutil.rmtree(directory, ignore_errors=True)
    return java.returncode if java.returncode >= 0 else 128 - java.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
