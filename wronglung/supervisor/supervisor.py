"""Starts the backend and the gateway, says when they are ready, restarts what fails, and stops them in order."""

import asyncio
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wronglung.supervisor.backend import Backend
from wronglung.supervisor.parts import BackendPart, CommandPart, GatewayPart, Part
from wronglung.supervisor.sickness import Sickness

_POLL_S = 0.25
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def _signals() -> list[signal.Signals]:
    """Those that stop us. SIGHUP does not where it was ignored before we were started: that is what nohup is for."""
    ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return [number for number in _SIGNALS if not (ignored and number is signal.SIGHUP)]


class PartFailed(RuntimeError):
    """A part could not be started, or not be kept alive."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the supervisor waits, in seconds, and how often it tries."""

    startup_s: float = 300.0
    """For the first canary of every model, after a start or a restart of the backend."""
    sick_s: float = 20.0
    """Canaries may fail this long before the backend is restarted: TorchServe gives up on a dead worker by itself."""
    gateway_s: float = 20.0
    """But not so soon after a restart of the gateway, which knows of no model before it has sent its canaries: it is up
    in a few seconds, and they have 10 s."""
    newborn_s: float = 90.0
    """Nor while one of its workers is younger than this: on a busy machine it takes long to start, and a restart
    would take the workers of other models along. For no longer than this, though: that of another model may die again
    and again."""
    gateway_drain_s: float = 30.0
    """For requests in flight to finish when the gateway stops."""
    backend_drain_s: float = 30.0
    """For the backend to end after SIGTERM."""
    stable_s: float = 60.0
    """A part that lived this long starts with a clean slate."""
    first_backoff_s: float = 0.5
    longest_backoff_s: float = 10.0
    restarts: int = 5
    """How often in a row a part may fail before the supervisor gives up."""


class Supervisor:
    """One served instance.

    Args:
        backend: the instance of TorchServe, or of what takes its place; `prepare` was called.
        gateway_command: command line of the gateway; its ports are added.
        port: the gateway's port, 0 for any free one.
        metrics_port: likewise for its page of metrics.
        command: run this once ready, then stop; empty: serve until stopped.
        say: told, in words, what happens.
        on_wait: told again and again what a start still waits for.
        patience: how long to wait for what.
    """

    def __init__(
        self,
        backend: Backend,
        gateway_command: Sequence[str],
        *,
        port: int,
        metrics_port: int,
        command: Sequence[str] = (),
        say: Callable[[str], None],
        on_wait: Callable[[str], None] = lambda _: None,
        patience: Patience = Patience(),
    ) -> None:
        self._backend = backend
        self._gateway_command = gateway_command
        self._ports = {"port": port, "metrics_port": metrics_port}
        self._say = say
        self._on_wait = on_wait
        self._patience = patience
        self._backend_part = BackendPart(backend, patience.backend_drain_s)
        self._gateway = GatewayPart(self._gateway_with_ports, self._on_report, patience.gateway_drain_s)
        self._command = CommandPart(command, patience.gateway_drain_s) if command else None
        self._sickness = Sickness(patience.sick_s)
        self._listening: Mapping[str, Any] = {}
        self._ready = asyncio.Event()
        self._stopping = asyncio.Event()
        self._signal = signal.SIGTERM

    async def run(self) -> int:
        """Serve until the command ends, a signal arrives, or a part cannot be kept alive. Everything is stopped then.

        Returns:
            The command's exit status; without a command, 0.

        Raises:
            PartFailed: a part could not be started or kept alive; the message holds the ends of its logs.
        """
        signals = _signals()
        for number in signals:
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal, number)
        work = asyncio.create_task(self._work())
        parts = ((self._backend_part, self._patience.startup_s), (self._gateway, self._patience.gateway_s))
        keepers = [asyncio.create_task(c) for c in (*(self._keep(*part) for part in parts), self._watch())]
        try:
            await asyncio.wait([work, *keepers], return_when=asyncio.FIRST_COMPLETED)
            for keeper in keepers:
                if keeper.done():
                    keeper.result()  # keepers end by exception alone
            return work.result()
        finally:
            await _cancel([work, *keepers])
            await self._stop_in_order()
            for number in signals:
                asyncio.get_running_loop().remove_signal_handler(number)

    async def _work(self) -> int:
        """What the instance is there for: the command, or to wait for a signal."""
        await _first(self._ready.wait(), self._stopping.wait())
        if self._command is None:
            await self._stopping.wait()
            return 0
        if self._stopping.is_set():
            return 128 + self._signal
        await self._command.start(self._environment())
        running = asyncio.create_task(self._command.wait())
        await _first(asyncio.shield(running), self._stopping.wait())
        if not running.done():
            await self._command.stop(self._signal)
        return await running

    async def _keep(self, part: Part, excused_s: float) -> None:
        """Start a part, and start it again whenever it ends; models may fail for so many seconds after each start."""
        patience, failures = self._patience, 0
        while True:
            started = time.monotonic()
            self._sickness.excuse(excused_s)
            await part.start()
            status = await part.wait()
            if not self._ready.is_set():
                self._check_setup()
                raise self._failure(f"{part.name} ended with status {status} before it was ready")
            failures = 1 if time.monotonic() - started > patience.stable_s else failures + 1
            if failures > patience.restarts:
                raise self._failure(f"{part.name} ended {failures} times in a row")
            delay = min(patience.longest_backoff_s, patience.first_backoff_s * 2 ** (failures - 1))
            self._say(f"{part.name} ended with status {status}; starting it again in {delay:g} s")
            await asyncio.sleep(delay)

    async def _watch(self) -> None:
        """Give up on a start that cannot succeed; restart the backend when a model stays sick."""
        started = time.monotonic()
        while True:
            await asyncio.sleep(_POLL_S)
            if not self._ready.is_set():
                self._check_start(time.monotonic() - started)
                self._on_wait(self._waits_for(time.monotonic() - started))
            elif self._sickness.sick and not self._is_excused():
                self._say(f"still no answer from {', '.join(self._sickness.failing)}; restarting {self._backend.name}")
                self._sickness.excuse(self._patience.startup_s)
                self._backend_part.kill()

    def _is_excused(self) -> bool:
        """Whether a worker is on its way that may be the one that is missed."""
        newborn_s = self._patience.newborn_s
        return self._sickness.overdue_s < newborn_s and self._backend_part.brings_up_a_worker(newborn_s)

    def _check_setup(self) -> None:
        if failure := self._backend.setup_failure():
            raise PartFailed(f"a model cannot be served: {failure}")

    def _check_start(self, elapsed_s: float) -> None:
        self._check_setup()
        if elapsed_s > self._patience.startup_s:
            silent = ", ".join(self._sickness.failing) or "the gateway"
            raise self._failure(f"no answer from {silent} in {elapsed_s:g} s")

    def _waits_for(self, elapsed_s: float) -> str:
        """What each model is at; until the gateway reports, it cannot be known that one is ready."""
        stages = self._backend.stages()
        ready = stages.keys() - set(self._sickness.failing) if self._listening else set()
        at = ", ".join(f"{name} {'is ready' if name in ready else stage}" for name, stage in stages.items())
        return f"after {elapsed_s:.0f} s: {at}"

    def _failure(self, message: str) -> PartFailed:
        return PartFailed("\n".join(filter(None, [message, self._backend.last_words()])))

    def _gateway_with_ports(self) -> list[str]:
        ports = [f"--{name.replace('_', '-')}={port}" for name, port in self._ports.items()]
        return [*self._gateway_command, *ports]

    def _on_report(self, report: Mapping[str, Any]) -> None:
        """What the gateway says of itself: where it listens, and which models fail their canaries."""
        if listening := report.get("listening"):
            self._listening = listening
            self._ports = {name: listening[name] for name in self._ports}  # a restarted gateway is found there again
        if "failing" in report:
            self._on_failing(report["failing"])

    def _on_failing(self, failing: Sequence[str]) -> None:
        was_well = self._ready.is_set() and not self._sickness.failing
        self._sickness.report(failing)
        if failing and was_well:
            self._say(f"no answer from {', '.join(failing)}")
        if not failing and not was_well:
            self._say(f"ready on {self._listening['target']}, metrics on {self._listening['metrics_url']}")
            self._ready.set()

    def _environment(self) -> dict[str, str]:
        return {
            "WRONGLUNG_TARGET": self._listening["target"],
            "WRONGLUNG_METRICS_URL": self._listening["metrics_url"],
        }

    def _on_signal(self, number: signal.Signals) -> None:
        """The first signal stops everything in order, a second one at once."""
        if self._stopping.is_set():
            for part in (self._gateway, self._backend_part):
                part.kill()
            if self._command is not None:
                self._command.kill()
        self._signal = number
        self._stopping.set()

    async def _stop_in_order(self) -> None:
        """The gateway first, so that it can finish what it has taken on; then the backend."""
        self._stopping.set()
        if self._command is not None:
            await self._command.stop(signal.SIGTERM)
        await self._gateway.stop()
        await self._backend_part.stop()


async def _first(*awaitables: Any) -> None:
    """Wait for the first to end and cancel the others."""
    tasks = [asyncio.ensure_future(awaitable) for awaitable in awaitables]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    await _cancel(tasks)


async def _cancel(tasks: Sequence["asyncio.Future[Any]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
