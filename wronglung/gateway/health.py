"""Whether each model answers, from real requests where there are any and from canaries where there are none.

A model is ready after its first success and until its first failure that is the server's own; overload and bad requests
say nothing of it. A canary is sent to a model that is idle, or doubted: load never looks like sickness. And it is not
ready when it has work and nothing at all has come back for long: a worker that hangs is alive, and TorchServe would
wait for it for minutes. Single requests are not timed: one that is batched with heavy ones is as slow as they are.

A model that fails one request after the other is doubted: it gets no work until a canary has told whether it is the
model or what it was sent. It counts as failing, for which it is restarted, only when the canary fails.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from grpc_health.v1.health_pb2 import HealthCheckResponse

from wronglung.gateway.board import HealthBoard
from wronglung.gateway.metrics import Metrics
from wronglung.served import Catalogue, ServedModel

_log = logging.getLogger(__name__)
SERVICE = "wronglung.v1.AlignmentService"
_DOUBTFUL = 5
"""Failures in a row. A worker that is broken soon has so many, and its callers are spared more; a bad input here and
there, with successes between, has not."""


class Sign(Enum):
    """What the fate of a request says of its model."""

    WELL = auto()
    DOWN = auto()
    """It does not answer."""
    FAILED = auto()
    """By a defect, of the model's worker or one that this request alone meets."""
    NOTHING = auto()


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When canaries are sent, in seconds."""

    idle_s: float = 5.0
    """To a ready model that has had no success for so long."""
    failing_s: float = 0.25
    """To a model that is not ready, after the last canary."""
    timeout_s: float = 10.0
    """A canary must be answered within this time."""
    trust_s: float = 30.0
    """A model cleared of doubt is not doubted for so long: whoever knows what makes it fail cannot keep it away."""


@dataclass(slots=True)
class _State:
    ready: bool = False
    doubted: bool = False
    """It fails one request after the other, and a canary is to tell whose fault that is."""
    failures: int = 0
    """In a row, without a success between."""
    trusted_until: float = 0.0
    in_flight: int = 0
    patience_s: float = 0.0
    """For how long, in seconds, nothing may come back while something is in flight."""
    silent_since: float = 0.0
    """When the last answer came, or the first request after a time with nothing in flight; on the monotonic clock."""
    last_dispatch: float = 0.0
    last_success: float = 0.0

    @property
    def serves(self) -> bool:
        """Whether it is given work."""
        return self.ready and not self.doubted

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
        on_change: told the names of the models that fail, at the start and at every change.
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
        """Names of the models that do not answer, or not even a canary. A doubt is not enough."""
        return [model.label for model, state in self._states.items() if not state.ready]

    def is_ready(self, model: ServedModel) -> bool:
        """Whether the model is to be given work."""
        return self._states[model].serves

    def began(self, model: ServedModel, patience_s: float) -> None:
        """A request was handed to the model, which with all that it has now may answer nothing for so many seconds."""
        state, now = self._states[model], time.monotonic()
        if not state.in_flight:
            state.silent_since = now
        state.in_flight += 1
        state.patience_s, state.last_dispatch = patience_s, now

    def ended(self, model: ServedModel, *, answered: bool, sign: Sign) -> None:
        """A request is over.

        Args:
            model: the model that had it.
            answered: whether the model itself answered, if only with an error.
            sign: what that shows.
        """
        state = self._states[model]
        state.in_flight -= 1
        if answered:
            state.silent_since = time.monotonic()
        if sign is Sign.FAILED:
            self._count_failure(model)
        elif sign is not Sign.NOTHING:
            self._observe(model, sign is Sign.WELL)

    def _count_failure(self, model: ServedModel) -> None:
        state = self._states[model]
        state.failures += 1
        if state.serves and state.failures >= _DOUBTFUL and time.monotonic() >= state.trusted_until:
            _log.error("a model fails one request after the other: a canary decides", extra={"model": model.label})
            state.doubted = True
            self.publish()

    def _observe(self, model: ServedModel, healthy: bool) -> None:
        state, was_ready, served = self._states[model], self._states[model].ready, self._states[model].serves
        if healthy:
            state.last_success = now = time.monotonic()
            state.failures = 0
            state.trusted_until = now + self._rhythm.trust_s if state.doubted else state.trusted_until
        state.ready, state.doubted = healthy, False
        if state.serves is not served:
            self.publish()
        if state.ready is not was_ready:
            self._on_change(self.failing)

    def publish(self) -> None:
        """Tell of readiness as it is now."""
        for model, state in self._states.items():
            self._metrics.ready.labels(model.label).set(state.serves)
            self.board.set(f"{SERVICE}/{model.label}", _status(state.serves))
        for default in self._catalogue.defaults:
            self.board.set(f"{SERVICE}/{default.name}", _status(self._states[default].serves))

    async def _watch(self, model: ServedModel) -> None:
        """Send canaries while there is nothing else to judge the model by."""
        state, rhythm = self._states[model], self._rhythm
        while True:
            idle_s = time.monotonic() - state.last_success
            if state.ready and state.hangs:
                _log.error("nothing comes back from a model that has work: it hangs", extra={"model": model.label})
                self._observe(model, healthy=False)
            if state.doubted or (not state.in_flight and (not state.ready or idle_s >= rhythm.idle_s)):
                await self._try(model)
            await asyncio.sleep(rhythm.failing_s)

    async def _try(self, model: ServedModel) -> None:
        """Send a canary. One that fails beside real requests, with which it may be batched, says nothing."""
        state, sent = self._states[model], time.monotonic()
        alone = not state.in_flight
        healthy = await self._canary(model, self._rhythm.timeout_s)
        if healthy or (alone and state.last_dispatch < sent):
            self._observe(model, healthy)


def _complain(watcher: "asyncio.Task[None]") -> None:
    """A watcher ends by being cancelled alone; if not, its model keeps the readiness that it had."""
    if not watcher.cancelled() and (error := watcher.exception()) is not None:
        _log.critical("a model is not watched any longer", exc_info=error)


def _status(ready: bool) -> HealthCheckResponse.ServingStatus:
    return HealthCheckResponse.SERVING if ready else HealthCheckResponse.NOT_SERVING
