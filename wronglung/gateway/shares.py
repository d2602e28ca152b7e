"""Fairness between callers: room goes to whoever holds least among those who ask (ADR 0107)."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from wronglung.errors import WronglungError
from wronglung.gateway.load import Load

_MOST_CLAIMS = 64
_CLAIM_S = 1.0
"""How much later than advised a caller may come back and find room kept."""


class Shares:
    """Who holds how much of a model's room, and who was turned away of late.

    Whoever is turned away has a claim, for a while, to what it holds and what it asked for: those who hold more leave
    that free, so that it is there when the caller asks again. All claims together keep half of the room at most: not
    everyone comes back.

    Args:
        total: the room.
        clock: the monotonic clock in seconds.
    """

    def __init__(self, total: Load, clock: Callable[[], float] = time.monotonic) -> None:
        self._total = total
        self._clock = clock
        self._held: dict[str, Load] = {}
        self._claims: dict[str, tuple[float, Load]] = {}

    def take(self, party: str, load: Load) -> None:
        """It got room. A claim is kept for as long as its caller goes on asking."""
        self._held[party] = self._holds(party).plus(load)
        if party in self._claims:
            until, wanted = self._claims[party]
            self._claims[party] = (max(until, self._clock() + _CLAIM_S), wanted)

    def give_back(self, party: str, load: Load) -> None:
        """It has done with that room."""
        left = self._holds(party).plus(load, -1)
        if left.requests:
            self._held[party] = left
        else:
            del self._held[party]

    def claim(self, party: str, load: Load, advised_s: float) -> None:
        """It was turned away, with the advice to ask again in so many seconds."""
        self._claims.pop(party, None)
        if len(self._claims) >= _MOST_CLAIMS:
            del self._claims[next(iter(self._claims))]
        self._claims[party] = (self._clock() + advised_s + _CLAIM_S, self._holds(party).plus(load))

    def held_by(self, party: str) -> float:
        """The share of the room that it holds: 0…1, or more where one request alone is larger."""
        return self._holds(party).share_of(self._total)

    def kept_from(self, party: str) -> Load:
        """The room that it must leave to those who hold less and were turned away."""
        now, mine, kept = self._clock(), self.held_by(party), Load()
        for other, (until, wanted) in list(self._claims.items()):
            if until <= now:
                del self._claims[other]
            elif self.held_by(other) < mine:
                kept = kept.plus(wanted.beyond(self._holds(other)))
        return kept.least(self._total.half())

    def _holds(self, party: str) -> Load:
        return self._held.get(party, Load())


class Places:
    """A number of places, of which nobody takes more than are left free for others.

    So a single caller gets half of them, two get a third each, and whoever comes next always finds some: places are
    held for as long as a caller likes, so that none can be taken back.

    Args:
        number: how many there are.
        refusal: the error for whom there is none.
    """

    def __init__(self, number: int, refusal: Callable[[], WronglungError]) -> None:
        self._number = number
        self._refusal = refusal
        self._held = Counter[str]()

    @property
    def taken(self) -> int:
        """How many are taken."""
        return self._held.total()

    @contextmanager
    def one(self, party: str) -> Iterator[None]:
        """Hold one during the block.

        Raises:
            WronglungError: there is none for this party.
        """
        if self._held[party] >= self._number - self.taken:
            if not self._held[party]:
                del self._held[party]
            raise self._refusal()
        self._held[party] += 1
        try:
            yield
        finally:
            self._held[party] -= 1
            if not self._held[party]:
                del self._held[party]
