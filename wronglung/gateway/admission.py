"""How much work may be at TorchServe at once, per model, and who is let in when there is not room for all.

TorchServe batches whatever is in its queue and kills a worker whose batch takes too long, so what is admitted is
bounded by count, by work and by bytes. A single request that is larger than the bounds is admitted alone.

Unary calls and streams cannot starve each other: streams leave a quarter of the requests to unary calls, which come
unannounced; and while a stream waits, unary calls take no more than half of everything, which is room for the heaviest
request that there is. Nor can callers: see `shares`.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from prometheus_client import Gauge

from wronglung.gateway.line import Line
from wronglung.gateway.load import Capacity, Load
from wronglung.gateway.returns import Returns
from wronglung.gateway.shares import Shares


class Admission:
    """Lets requests of one model through as far as there is room.

    Unary calls are let in at once or not at all. Streams wait in one line; each stream has at most one request in it,
    and the caller who holds least comes first.

    Args:
        capacity: the room.
        waiting: where to show how many streams wait.
        clock: the monotonic clock in seconds.
    """

    def __init__(
        self, capacity: Capacity, waiting: Gauge | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._capacity = capacity
        self._waiting = waiting
        self._shares = Shares(capacity.total, clock)
        self._line = Line[Load](self)
        self._clock = clock
        self._latency_s = 0.1
        self._returns = Returns()
        self._unary = Load()
        self._streams = Load()

    @property
    def load(self) -> Load:
        """What is let in and not done."""
        return self._unary.plus(self._streams)

    @property
    def patience_s(self) -> float:
        """How long, in seconds, the model may answer nothing with what is let in now, if it is well."""
        return self._capacity.patience_s(self.load)

    def try_enter(self, load: Load, party: str = "") -> "Place | Refusal":
        """Let a unary call of a party in if there is room now."""
        if not self._fits(load, party) or (self._line and not self._leaves_half(load)):
            return self._refuse(load, party)
        self._unary = self._unary.plus(load)
        self._shares.take(party, load)
        return Place(partial(self._leave_unary, load, party))

    def _refuse(self, load: Load, party: str) -> "Refusal":
        # By Little's law: so many at once, each taking so long, are answered one in so many seconds.
        answer_s = self._latency_s / max(1, self.load.requests)
        retry_after_ms = self._returns.give(party, self._clock(), self._latency_s, answer_s)
        self._shares.claim(party, load, retry_after_ms / 1000)
        return Refusal(retry_after_ms)

    async def enter(self, load: Load, party: str = "") -> "Place":
        """Let a stream's request in, when its turn has come and there is room."""
        waiting = self._line.join(load, party)
        if not waiting.turn.done():
            with self._counted_as_waiting():
                await self._line.turn_of(waiting)
        return Place(partial(self._leave_streams, load, party))

    def fits(self, load: Load, party: str) -> bool:
        """Whether a stream's request may be let in now."""
        most = self._capacity.total.requests - self._capacity.reserved
        return self._fits(load, party) and self._streams.plus(load).requests <= most

    def take(self, load: Load, party: str) -> None:
        """A stream's request is let in."""
        self._streams = self._streams.plus(load)
        self._shares.take(party, load)

    def give_back(self, load: Load, party: str) -> None:
        """A stream's request is done."""
        self._streams = self._streams.plus(load, -1)
        self._shares.give_back(party, load)

    def held_by(self, party: str) -> float:
        """The share of all room that a party holds."""
        return self._shares.held_by(party)

    def _leave_unary(self, load: Load, party: str, seconds: float | None) -> None:
        self._unary = self._unary.plus(load, -1)
        self._shares.give_back(party, load)
        self._left(seconds)

    def _leave_streams(self, load: Load, party: str, seconds: float | None) -> None:
        self.give_back(load, party)
        self._left(seconds)

    def _left(self, seconds: float | None) -> None:
        if seconds is not None:
            self._latency_s += 0.1 * (seconds - self._latency_s)
        if self.load.requests == 0:
            self._returns.clear()
        self._line.move_on()

    def _fits(self, load: Load, party: str) -> bool:
        if self.load.requests == 0:
            return True
        wanted = self.load.plus(load).plus(self._shares.kept_from(party))
        return wanted.within(self._capacity.total)

    def _leaves_half(self, load: Load) -> bool:
        return self._unary.requests == 0 or self._unary.plus(load).within(self._capacity.total.half())

    @contextmanager
    def _counted_as_waiting(self) -> Iterator[None]:
        if self._waiting is None:
            yield
            return
        with self._waiting.track_inprogress():
            yield


@dataclass(frozen=True, slots=True)
class Place:
    """The room that a request was let in to."""

    leave: Callable[[float | None], None]
    """Give it back, once, when the request is done, after so many seconds; None: it was not sent."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """There is no room."""

    retry_after_ms: int
    """When to ask again."""
