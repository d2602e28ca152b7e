"""A `wronglung serve` of its own on chosen cores, and the processes that it consists of."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

_READY = re.compile(r"ready on ([^\s,]+), metrics on (\S+)")
_START_S, _STOP_S, _POLL_S = 300.0, 60.0, 0.1
_SIGNS = (
    ("model_service_worker.py", "worker"),
    ("wronglung.supervisor.guard", "guard"),
    ("multiprocessing.spawn", "worker"),
    ("wronglung.plain", "backend"),
    ("org.pytorch.serve.ModelServer", "java"),
    ("wronglung.gateway", "gateway"),
    ("wronglung.cli serve", "supervisor"),
)
"""What a part's command line holds, the most telling first: the guard's holds Java's as well."""


@dataclass(frozen=True, slots=True)
class Served:
    """One running server."""

    target: str
    metrics_url: str
    pid: int
    """Of the supervisor."""

    def processes(self) -> dict[psutil.Process, str]:
        """The supervisor and everything below it, each with what it is: see `role_of`."""
        parent = psutil.Process(self.pid)
        found = [parent, *parent.children(recursive=True)]
        return {process: role_of(process.cmdline()) for process in found}


def role_of(command: Sequence[str]) -> str:
    """What a process of the server is, by its command line: worker, guard, java, backend, gateway, …, or other."""
    line = " ".join(command)
    return next((role for sign, role in _SIGNS if sign in line), "other")


@contextmanager
def serving(store: Path, models: Sequence[str], *flags: str, cores: Set[int]) -> Iterator[Served]:
    """A server whose every process runs on `cores` alone; stopped in the end.

    Raises:
        RuntimeError: it did not become ready; the message holds what it said.
    """
    command = [
        *(sys.executable, "-m", "wronglung.cli", "serve", "--port", "0", "--model-store", str(store)),
        *("--models", *models, *flags),
    ]
    with tempfile.TemporaryDirectory() as directory:
        said = Path(directory, "stderr")
        with said.open("wb") as stderr, _on(cores):
            process = subprocess.Popen(command, stderr=stderr)
        try:
            target, metrics_url = _await_ready(process, said)
            yield Served(target, metrics_url, process.pid)
        finally:
            process.terminate()
            process.wait(_STOP_S)


@contextmanager
def _on(cores: Set[int]) -> Iterator[None]:
    """What is started in here runs on these cores, with all that it starts."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _await_ready(process: "subprocess.Popen[bytes]", said: Path) -> tuple[str, str]:
    """Addresses of the gateway and of its page of metrics."""
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        if found := _READY.search(said.read_text(errors="replace")):
            return found[1], found[2]
        time.sleep(_POLL_S)
    raise RuntimeError(f"the server did not become ready:\n{said.read_text(errors='replace')}")
