"""The processes under the supervisor: the backend behind its guard, the gateway, and a command if one was given."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from wronglung.supervisor.backend import Backend
from wronglung.supervisor.children import has_young_child
from wronglung.supervisor.guard import PID_FILE, guarded, kill_group
from wronglung.supervisor.reports import as_report, pieces
from wronglung.supervisor.tie import tied

_MARGIN_S = 5.0


class Part(Protocol):
    """A process that the supervisor keeps alive."""

    name: str

    async def start(self) -> None:
        """Start it."""

    async def wait(self) -> int:
        """Wait for its end; returns its exit status."""

    async def stop(self) -> None:
        """Let it finish its work and end; when its time is up, or when cancelled, see that it is gone."""

    def kill(self) -> None:
        """End it at once, with all that belongs to it."""


async def stop_process(process: Process, number: signal.Signals, grace_s: float) -> None:
    """Send a signal, wait for the end, and after `grace_s` seconds, or when cancelled, SIGKILL."""
    if process.returncode is not None:
        return
    try:
        process.send_signal(number)
        async with asyncio.timeout(grace_s):
            await process.wait()
    except TimeoutError:
        pass
    finally:
        kill_process(process)


def kill_process(process: Process | None) -> None:
    """SIGKILL, if it is still there."""
    if process is not None and process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()


class BackendPart:
    """TorchServe, that is, Java and its workers, or whatever takes its place."""

    def __init__(self, backend: Backend, grace_s: float) -> None:
        self.name = backend.name
        self._backend = backend
        self._grace_s = grace_s
        self._guard: Process | None = None

    async def start(self) -> None:
        """Start the guard, which starts the backend."""
        command = guarded(self._backend.directory, self._grace_s, self._backend.command())
        self._pid_file.unlink(missing_ok=True)
        with (self._backend.logs / "console.log").open("ab") as console:
            self._guard = await asyncio.create_subprocess_exec(
                *command,
                stdin=PIPE,  # its end tells the guard that this process is gone
                stdout=console,
                stderr=console,
                env=self._backend.environment(),
                cwd=self._backend.directory,
                start_new_session=True,
            )

    async def wait(self) -> int:
        """Wait until the backend is gone, and see that its workers are, too."""
        assert self._guard is not None
        status = await self._guard.wait()
        self._kill_backend()
        return status

    async def stop(self) -> None:
        """SIGTERM to the backend by way of the guard; it drains."""
        if self._guard is not None:
            await stop_process(self._guard, signal.SIGTERM, self._grace_s + _MARGIN_S)
            self._kill_backend()

    def kill(self) -> None:
        """SIGKILL to the backend and its workers."""
        self._kill_backend()
        kill_process(self._guard)

    def brings_up_a_worker(self, newborn_s: float) -> bool:
        """Whether one of its workers is younger than so many seconds, and so may still be on its way."""
        return self._pid_file.exists() and has_young_child(int(self._pid_file.read_text()), newborn_s)

    @property
    def _pid_file(self) -> Path:
        return self._backend.directory / PID_FILE

    def _kill_backend(self) -> None:
        if self._pid_file.exists():
            kill_group(int(self._pid_file.read_text()))
            self._pid_file.unlink()


class GatewayPart:
    """The gateway. It reports on its standard output, one JSON object per line, to `on_report`."""

    name = "the gateway"

    def __init__(
        self, command: Callable[[], Sequence[str]], on_report: Callable[[Mapping[str, Any]], None], grace_s: float
    ) -> None:
        self._command = command
        self._on_report = on_report
        self._grace_s = grace_s
        self._process: Process | None = None

    async def start(self) -> None:
        """Start it, out of reach of the terminal's Ctrl-C: it is stopped in its turn."""
        self._process = await asyncio.create_subprocess_exec(
            *tied(self._command()), stdin=DEVNULL, stdout=PIPE, start_new_session=True
        )

    async def wait(self) -> int:
        """Pass on its reports until it is gone."""
        assert self._process is not None
        assert self._process.stdout is not None
        async for piece, whole in pieces(self._process.stdout):
            self._take(piece, whole)
        return await self._process.wait()

    def _take(self, piece: bytes, whole: bool) -> None:
        """A report; or what some library printed, which goes where people look for such lines."""
        report = as_report(piece) if whole else None
        if report is not None:
            self._on_report(report)
            return
        sys.stderr.buffer.write(piece)
        sys.stderr.flush()

    async def stop(self) -> None:
        """SIGTERM: it stops to be ready, refuses what is new, finishes what it has, and ends."""
        if self._process is not None:
            await stop_process(self._process, signal.SIGTERM, self._grace_s + _MARGIN_S)

    def kill(self) -> None:
        """SIGKILL."""
        kill_process(self._process)


class CommandPart:
    """The command after ``--``: in the foreground, tied to the supervisor."""

    name = "the command"

    def __init__(self, command: Sequence[str], grace_s: float) -> None:
        self._command = command
        self._grace_s = grace_s
        self._process: Process | None = None

    async def start(self, environment: Mapping[str, str]) -> None:
        """Start it, with these variables beside our own. From then on `stop` ends it."""
        self._process = await asyncio.create_subprocess_exec(*tied(self._command), env=os.environ | environment)

    async def wait(self) -> int:
        """Wait for its end; returns its exit status as a shell would give it."""
        assert self._process is not None
        status = await self._process.wait()
        return status if status >= 0 else 128 - status

    async def stop(self, number: signal.Signals) -> None:
        """End it. The terminal sends Ctrl-C to it as well, so after a SIGINT it gets a moment to end by itself."""
        if self._process is None:
            return
        if number is signal.SIGINT:
            with suppress(TimeoutError):
                async with asyncio.timeout(_MARGIN_S):
                    await self._process.wait()
        await stop_process(self._process, signal.SIGTERM, self._grace_s)

    def kill(self) -> None:
        """SIGKILL."""
        kill_process(self._process)
