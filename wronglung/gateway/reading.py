"""Messages that are on their way, and how long each may take: less when somebody waits for the room that it fills."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Reading:
    """One message on its way."""

    party: str
    timeout: asyncio.Timeout
    started: float
    """By the clock of the event loop, in seconds."""
    hurried: bool = False
    """Whether it has less time because somebody waits."""


class Readings:
    """All of them.

    Args:
        alone_s: how long each may take while nobody waits, in seconds.
        crowded_s: the same while somebody waits.
        greedy_s: the same while somebody waits who would hold less than the party whose message it is.
    """

    def __init__(self, alone_s: float, crowded_s: float, greedy_s: float) -> None:
        self._alone_s = alone_s
        self._crowded_s = crowded_s
        self._greedy_s = greedy_s
        self._readings: list[Reading] = []

    @asynccontextmanager
    async def of(self, party: str) -> AsyncIterator[Reading]:
        """A message of a party is on its way for as long as the block takes.

        Raises:
            TimeoutError: it took too long.
        """
        async with asyncio.timeout(self._alone_s) as timeout:
            reading = Reading(party, timeout, asyncio.get_running_loop().time())
            self._readings.append(reading)
            try:
                yield reading
            finally:
                self._readings.remove(reading)

    def nobody_waits(self) -> None:
        """Each has its full time."""
        for reading in self._readings:
            self._limit(reading, self._alone_s)

    def somebody_waits(self, would_hold: float, held_by: Callable[[str], float]) -> None:
        """Hurry the one message whose time is up first, for somebody who would then hold so much."""
        self.nobody_waits()
        limits = [(self._seconds(each, would_hold, held_by), each) for each in self._readings]
        if limits:
            seconds, reading = min(limits, key=lambda pair: pair[1].started + pair[0])
            self._limit(reading, seconds)

    def _seconds(self, reading: Reading, would_hold: float, held_by: Callable[[str], float]) -> float:
        return self._greedy_s if held_by(reading.party) > would_hold else self._crowded_s

    def _limit(self, reading: Reading, seconds: float) -> None:
        if not reading.timeout.expired():
            reading.hurried = seconds < self._alone_s
            reading.timeout.reschedule(reading.started + seconds)
