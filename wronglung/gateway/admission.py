"""How much work may be at TorchServe at once, per model.

TorchServe batches whatever is in its queue and kills a worker whose batch takes too long, so what is admitted is
bounded by count, by work and by bytes. A single request that is larger than the bounds is admitted alone.

Unary calls and streams cannot starve each other: streams leave a quarter of the requests to unary calls, which come
unannounced; and while a stream waits, unary calls take no more than half of everything, which is room for the heaviest
request that there is.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import NamedTuple

from prometheus_client import Gauge

from wronglung.limits import LIMITS

_PIXELS_PER_UNIT = 10_000_000
_SHORTEST_RETRY_MS = 50
_LONGEST_RETRY_MS = 10_000


class Load(NamedTuple):
    """What one request weighs, or many together."""

    requests: int = 0
    units: int = 0
    """Work: 1 per image, 1 per sentence, 1 per 10 megapixels."""
    bytes: int = 0
    """Size of the messages."""

    @classmethod
    def of_request(cls, sentences: int, pixels: int, size: int) -> "Load":
        """The load of one request with so many sentences, pixels and bytes."""
        return cls(1, 1 + sentences + ceil(pixels / _PIXELS_PER_UNIT), size)

    def plus(self, other: "Load", sign: int = 1) -> "Load":
        """Sum (or, with -1, difference)."""
        return Load(*(mine + sign * theirs for mine, theirs in zip(self, other, strict=True)))

    def half(self) -> "Load":
        """Half of it, rounded down, but at least one request."""
        return Load(max(1, self.requests // 2), self.units // 2, self.bytes // 2)

    def within(self, limit: "Load") -> bool:
        """Whether no part passes the limit."""
        return all(mine <= bound for mine, bound in zip(self, limit, strict=True))


HEAVIEST = Load.of_request(LIMITS.sentences, LIMITS.image_pixels, LIMITS.message_bytes)
"""The heaviest request that passes the limits."""
_BYTES = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Capacity:
    """What may be at TorchServe at once for one model."""

    total: Load
    reserved: int
    """Requests of `total` that streams leave to unary calls, so that they do not starve them."""

    @classmethod
    def for_model(cls, workers: int, batch_size: int, queue_size: int) -> "Capacity":
        """One batch in work and one waiting for each worker, at least 8 requests, and no more than the queue holds."""
        requests = min(max(8, 2 * workers * batch_size), queue_size)
        return cls(Load(requests, 2 * HEAVIEST.units * workers, _BYTES), reserved=requests // 4)


class Gate:
    """Lets requests of one model through as far as there is room.

    Unary calls are let in at once or not at all. Streams wait in one line; each stream has at most one request in it,
    so they take turns.
    """

    def __init__(self, capacity: Capacity, waiting: Gauge | None = None) -> None:
        self._capacity = capacity
        self._waiting = waiting
        self._line: deque[tuple[Load, asyncio.Future[None]]] = deque()
        self._seconds = 0.1
        self._unary = Load()
        self._streams = Load()

    @property
    def load(self) -> Load:
        """What is let in and not done."""
        return self._unary.plus(self._streams)

    @property
    def retry_after_ms(self) -> int:
        """When there may be room again: after about as long as requests have taken of late."""
        return min(_LONGEST_RETRY_MS, max(_SHORTEST_RETRY_MS, ceil(self._seconds * 1000)))

    def try_enter(self, load: Load) -> "Place | None":
        """Let a unary call in if there is room now."""
        if not self._fits(load) or (self._line and not self._leaves_half(load)):
            return None
        self._unary = self._unary.plus(load)
        return Place(partial(self._leave_unary, load))

    async def enter(self, load: Load) -> "Place":
        """Let a stream's request in, when its turn has come and there is room."""
        if self._line or not self._fits_streams(load):
            await self._turn(load)
        else:
            self._streams = self._streams.plus(load)
        return Place(partial(self._leave_streams, load))

    async def _turn(self, load: Load) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append((load, turn))
        with self._counted_as_waiting():
            try:
                await turn
            except asyncio.CancelledError:
                self._give_up(load, turn)
                raise

    def _leave_unary(self, load: Load, seconds: float) -> None:
        self._unary = self._unary.plus(load, -1)
        self._left(seconds)

    def _leave_streams(self, load: Load, seconds: float) -> None:
        self._streams = self._streams.plus(load, -1)
        self._left(seconds)

    def _left(self, seconds: float) -> None:
        self._seconds += 0.1 * (seconds - self._seconds)
        self._admit()

    def _fits(self, load: Load) -> bool:
        return self.load.requests == 0 or self.load.plus(load).within(self._capacity.total)

    def _fits_streams(self, load: Load) -> bool:
        most = self._capacity.total.requests - self._capacity.reserved
        return self._fits(load) and self._streams.plus(load).requests <= most

    def _leaves_half(self, load: Load) -> bool:
        return self._unary.requests == 0 or self._unary.plus(load).within(self._capacity.total.half())

    def _admit(self) -> None:
        while self._line and self._fits_streams(self._line[0][0]):
            load, turn = self._line.popleft()
            if not turn.done():
                self._streams = self._streams.plus(load)
                turn.set_result(None)

    def _give_up(self, load: Load, turn: "asyncio.Future[None]") -> None:
        """The waiting caller is gone: leave the line, or give back the room that was granted at the same moment."""
        if turn.done() and not turn.cancelled():
            self._streams = self._streams.plus(load, -1)
        elif (load, turn) in self._line:
            self._line.remove((load, turn))
        self._admit()

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

    leave: Callable[[float], None]
    """Give it back, once, when the request is done, after so many seconds."""
