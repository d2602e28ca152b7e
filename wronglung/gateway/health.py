"""Whether each model answers, from real requests where there are any and from canaries where there are none.

A model is ready after its first success and until its first failure that is the server's own; overload and bad requests
say nothing of it. A canary is sent only to a model that is idle, so that load never looks like sickness. And it is not
ready when it has work and nothing at all has come back for long: a worker that hangs is alive, and TorchServe would
wait for it for minutes. Single requests are not timed: one that is batched with heavy ones is as slow as they are.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

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
    in_flight: int = 0
    patience_s: float = 0.0
    """For how long, in seconds, nothing may come back while something is in flight."""
    silent_since: float = 0.0
    """When the last answer came, or the first request after a time with nothing in flight; on the monotonic clock."""
    last_dispatch: float = 0.0
    last_success: float = 0.0

    @property
    def hangs(self) -> bool:
        """Whether it has work and should have answered something long ago."""
        return self.in_flight > 0 and time.monotonic() - self.silent_since > self.patience_s


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

    def began(self, model: ServedModel, patience_s: float) -> None:
        """A request was handed to the model, which with all that it has now may answer nothing for so many seconds."""
        state, now = self._states[model], time.monotonic()
        if not state.in_flight:
            state.silent_since = now
        state.in_flight += 1
        state.patience_s, state.last_dispatch = patience_s, now

    def ended(self, model: ServedModel, *, answered: bool, healthy: bool | None) -> None:
        """A request is over.

        Args:
            model: the model that had it.
            answered: whether the model itself answered, if only with an error.
            healthy: whether that shows that the model is well (True), that it does not answer (False), or neither.
        """
        state = self._states[model]
        state.in_flight -= 1
        if answered:
            state.silent_since = time.monotonic()
        if healthy is not None:
            self._observe(model, healthy)

    def _observe(self, model: ServedModel, healthy: bool) -> None:
        state = self._states[model]
        if healthy:
            state.last_success = time.monotonic()
        if state.ready is not healthy:
            state.ready = healthy
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
            if state.ready and state.hangs:
                _log.error("nothing comes back from a model that has work: it hangs", extra={"model": model.label})
                self._observe(model, healthy=False)
            if not state.in_flight and (not state.ready or idle_s >= rhythm.idle_s):
                await self._try(model)
            await asyncio.sleep(rhythm.failing_s)

    async def _try(self, model: ServedModel) -> None:
        """Send a canary. One that fails beside real requests, with which it may be batched, says nothing."""
        sent = time.monotonic()
        healthy = await self._canary(model, self._rhythm.timeout_s)
        if healthy or self._states[model].last_dispatch < sent:
            self._observe(model, healthy)


def _complain(watcher: "asyncio.Task[None]") -> None:
    """A watcher ends by being cancelled alone; if not, its model keeps the readiness that it had."""
    if not watcher.cancelled() and (error := watcher.exception()) is not None:
        _log.critical("a model is not watched any longer", exc_info=error)


def _status(ready: bool) -> HealthCheckResponse.ServingStatus:
    return HealthCheckResponse.SERVING if ready else HealthCheckResponse.NOT_SERVING
