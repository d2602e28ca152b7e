"""Fairness between callers: room goes to whoever holds least among those who ask (ADR 0107)."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from wronglung.errors import WronglungError
from wronglung.gateway.load import Load

_MOST_CLAIMS = 64
_CLAIM_S = 1.0
"""So long room is kept for who was turned away and asks again at once, and about the time that it was advised."""


class Claim(NamedTuple):
    """What a party wants that was turned away, or got some of it of late."""

    since_s: float
    due_s: float
    """When it was advised to come again."""
    wanted: Load

    def holds(self, now_s: float) -> bool:
        """Whether its caller may be here at this time."""
        return now_s < self.since_s + _CLAIM_S or abs(now_s - self.due_s) < _CLAIM_S

    def is_over(self, now_s: float) -> bool:
        """Whether it will hold at no later time."""
        return now_s >= max(self.since_s, self.due_s) + _CLAIM_S


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
        self._claims: dict[str, Claim] = {}

    def take(self, party: str, load: Load) -> None:
        """It got room. A claim is kept for as long as its caller goes on asking."""
        self._held[party] = self._holds(party).plus(load)
        if party in self._claims:
            self._claims[party] = self._claims[party]._replace(since_s=self._clock())

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
            del self._claims[max(self._claims, key=lambda each: self._claims[each].due_s)]
        self._claims[party] = Claim(self._clock(), self._clock() + advised_s, self._holds(party).plus(load))

    def held_by(self, party: str) -> float:
        """The share of the room that it holds: 0…1, or more where one request alone is larger."""
        return self._holds(party).share_of(self._total)

    def kept_from(self, party: str) -> Load:
        """The room that it must leave to those who hold less and were turned away."""
        now, mine, kept = self._clock(), self.held_by(party), Load()
        for other, claim in list(self._claims.items()):
            if claim.is_over(now):
                del self._claims[other]
            elif claim.holds(now) and self.held_by(other) < mine:
                kept = kept.plus(claim.wanted.beyond(self._holds(other)))
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
