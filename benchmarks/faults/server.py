"""The real `wronglung serve` in processes of its own, the parts that can be hurt, and all that was ever part of it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from wronglung.supervisor.ports import free_ports
from wronglung.supervisor.tie import tied

MARK = "WRONGLUNG_FAULTS_RUN"
"""A variable that every process of the server inherits: whoever holds it belongs to this campaign."""
SIGNS = {
    "torchserve": ("org.pytorch.serve.ModelServer", "model_service_worker.py"),
    "plain": ("-m wronglung.plain", "multiprocessing.spawn"),
}
"""What the command line of each backend, and of its workers, holds."""
STARTUP_S = 300.0
_STOP_S = 60.0


class NotReady(RuntimeError):
    """The server ended, or did not become ready in time."""


class Server:
    """One server at one address; after a death a new one is started there.

    Args:
        models: names of the models to serve.
        backend: a key of `SIGNS`.
        temporary: where it keeps its files.
        log: what it says is added to this file.
        environment: variables beside our own.
    """

    def __init__(
        self, models: Sequence[str], backend: str, temporary: Path, log: Path, environment: Mapping[str, str]
    ) -> None:
        self.models = tuple(models)
        self._kind = backend
        self._backend_sign, self._worker_sign = SIGNS[backend]
        self.temporary = temporary
        (self.port,) = free_ports(1)
        self._log = log
        self._read_from = 0
        self.mark = f"{os.getpid()}-{time.time_ns()}"
        self._environment = {**os.environ, "TMPDIR": str(temporary), **environment, MARK: self.mark}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def target(self) -> str:
        """Address of the gateway."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it; `await_ready` says when it is there."""
        serve = [sys.executable, "-m", "wronglung.cli", "serve", "--models", *self.models, "--port", str(self.port)]
        serve += ["--backend", self._kind]
        self._log.touch()
        self._read_from = self._log.stat().st_size
        with self._log.open("ab") as stderr:
            self._process = subprocess.Popen(
                tied(serve), stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr, env=self._environment
            )

    def await_ready(self) -> None:
        """Wait until every model has answered.

        Raises:
            NotReady: it will not, or took longer than `STARTUP_S`.
        """
        deadline = time.monotonic() + STARTUP_S
        while "ready on" not in self.said():
            if not self.is_running or time.monotonic() > deadline:
                raise NotReady(f"wronglung serve did not become ready:\n{self.said()[-4000:]}")
            time.sleep(0.05)

    def said(self) -> str:
        """What it has said since it was started last."""
        with self._log.open("rb") as log:
            log.seek(self._read_from)
            return log.read().decode(errors="replace")

    @property
    def is_running(self) -> bool:
        """Whether its supervisor lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def directory(self) -> Path:
        """The private directory of the one that runs now, by its own words."""
        found = re.search(r"logs in (\S+)", self.said())
        return Path(found[1]).parent if found else self.temporary / "unknown"

    @property
    def supervisor(self) -> psutil.Process:
        """The parent of all the others."""
        assert self._process is not None
        return psutil.Process(self._process.pid)

    def part(self, sign: str, but: str = "wronglung.supervisor.") -> list[psutil.Process]:
        """Its living descendants whose command line holds `sign` and not `but`, oldest first."""
        found = [each for each in self.family if sign in (line := _command(each)) and but not in line]
        return sorted(found, key=lambda each: each.pid)

    @property
    def family(self) -> list[psutil.Process]:
        """The supervisor and everything below it; empty when it is gone, or was never there."""
        if self._process is None:
            return []
        try:
            return [self.supervisor, *self.supervisor.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    @property
    def backend(self) -> list[psutil.Process]:
        """What is between gateway and workers, e.g. TorchServe's Java: one, unless it is just being started again."""
        return self.part(self._backend_sign)

    @property
    def workers(self) -> list[psutil.Process]:
        """Its Python workers, one for each model."""
        return self.part(self._worker_sign)

    @property
    def gateway(self) -> list[psutil.Process]:
        """The gateway: one, unless it is just being started again."""
        return self.part("wronglung.gateway")

    def is_whole(self) -> bool:
        """Whether every part is there, as many as there should be."""
        counts = len(self.backend), len(self.gateway), len(self.workers)
        return self.is_running and counts == (1, 1, len(self.models))

    def kin(self) -> list[psutil.Process]:
        """Every living process that was ever started by any of its generations, wherever it hangs now."""
        return [each for each in psutil.process_iter() if _mark(each) == self.mark and _lives(each)]

    def stop(self) -> int:
        """SIGTERM and patience; returns the exit status, or SIGKILL's when patience was in vain."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def bury(self, within_s: float = 20.0) -> None:
        """After the supervisor's death: wait until everything of it is gone, and see to it when it does not go."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        _, alive = psutil.wait_procs(self.kin(), timeout=within_s)
        for each in alive:
            each.kill()


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _mark(process: psutil.Process) -> str:
    try:
        return process.environ().get(MARK, "")
    except (psutil.Error, OSError):
        return ""


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
