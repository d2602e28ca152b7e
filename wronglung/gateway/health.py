"""Whether each model answers, from real requests where there are any and from canaries where there are none.

A model is ready after its first success and until its first failure that is the server's own; overload and bad requests
say nothing of it. A canary is sent only to a model that is idle, so that load never looks like sickness. And it is not
ready while a call is overdue: a worker that hangs is alive, and TorchServe would wait for it for minutes.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

from grpc_health.v1.health_pb2 import HealthCheckResponse

from wronglung.gateway.board import HealthBoard
from wronglung.gateway.metrics import Metrics
from wronglung.served import Catalogue, ServedModel

_log = logging.getLogger(__name__)
SERVICE = "wronglung.v1.AlignmentService"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When canaries are sent, in seconds."""

    idle_s: float = 5.0
    """To a ready model that has had no success for so long."""
    failing_s: float = 0.25
    """To a model that is not ready, after the last canary."""
    timeout_s: float = 10.0
    """A canary must be answered within this time."""


@dataclass(slots=True)
class _State:
    ready: bool = False
    due: dict[int, float] = field(default_factory=dict)
    """Of each request at the model: when it must be back, on the monotonic clock."""
    last_success: float = 0.0

    @property
    def overdue(self) -> bool:
        """Whether a request should have come back long ago."""
        now = time.monotonic()
        return any(due < now for due in self.due.values())


class Health:
    """Keeps the readiness of every model and serves it as grpc.health.v1.

    Args:
        catalogue: the served models.
        canary: sends one canary to a model, to be answered within so many seconds; returns whether it was. Never
            raises.
        metrics: where to show readiness.
        on_change: told the names of the models that are not ready, at the start and at every change.
        rhythm: when to send canaries.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        canary: Callable[[ServedModel, float], Awaitable[bool]],
        metrics: Metrics,
        on_change: Callable[[Sequence[str]], None],
        rhythm: Rhythm = Rhythm(),
    ) -> None:
        self.board = HealthBoard()
        self._catalogue = catalogue
        self._canary = canary
        self._metrics = metrics
        self._on_change = on_change
        self._rhythm = rhythm
        self._states = {model: _State() for model in catalogue.models}
        self._watchers: list[asyncio.Task[None]] = []
        self._numbers = count()

    async def start(self) -> None:
        """Report every model as not ready, then begin to send canaries."""
        self.publish()
        self._on_change(self.failing)
        self._watchers = [asyncio.create_task(self._watch(model)) for model in self._states]
        for watcher in self._watchers:
            watcher.add_done_callback(_complain)

    async def drain(self) -> None:
        """Report everything as not serving, for good."""
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        self.board.drain()

    @property
    def failing(self) -> list[str]:
        """Names of the models that are not ready."""
        return [model.label for model, state in self._states.items() if not state.ready]

    def is_ready(self, model: ServedModel) -> bool:
        """Whether the model answers."""
        return self._states[model].ready

    def began(self, model: ServedModel, within_s: float) -> int:
        """A request was handed to the model, which must give it back within so many seconds; returns its number."""
        number = next(self._numbers)
        self._states[model].due[number] = time.monotonic() + within_s
        return number

    def ended(self, model: ServedModel, number: int, healthy: bool | None) -> None:
        """It came back: with an answer (True), because the model does not answer (False), or neither (None)."""
        del self._states[model].due[number]
        if healthy is not None:
            self._observe(model, healthy)

    def _observe(self, model: ServedModel, healthy: bool) -> None:
        state = self._states[model]
        if healthy:
            state.last_success = time.monotonic()
        ready = healthy and not state.overdue
        if state.ready is not ready:
            state.ready = ready
            self.publish()
            self._on_change(self.failing)

    def publish(self) -> None:
        """Tell of readiness as it is now."""
        for model, state in self._states.items():
            self._metrics.ready.labels(model.label).set(state.ready)
            self.board.set(f"{SERVICE}/{model.label}", _status(state.ready))
        for default in self._catalogue.defaults:
            self.board.set(f"{SERVICE}/{default.name}", _status(self._states[default].ready))
        everything = all(state.ready for state in self._states.values())
        for service in ("", SERVICE):
            self.board.set(service, _status(everything))

    async def _watch(self, model: ServedModel) -> None:
        """Send canaries while there is nothing else to judge the model by."""
        state, rhythm = self._states[model], self._rhythm
        while True:
            idle_s = time.monotonic() - state.last_success
            if state.ready and state.overdue:
                _log.error("a request is overdue: its worker hangs", extra={"model": model.label})
                self._observe(model, healthy=False)
            if not state.due and (not state.ready or idle_s >= rhythm.idle_s):
                self._observe(model, await self._canary(model, rhythm.timeout_s))
            await asyncio.sleep(rhythm.failing_s)


def _complain(watcher: "asyncio.Task[None]") -> None:
    """A watcher ends by being cancelled alone; if not, its model keeps the readiness that it had."""
    if not watcher.cancelled() and (error := watcher.exception()) is not None:
        _log.critical("a model is not watched any longer", exc_info=error)


def _status(ready: bool) -> HealthCheckResponse.ServingStatus:
    return HealthCheckResponse.SERVING if ready else HealthCheckResponse.NOT_SERVING
