"""How many bytes of messages the gateway holds: a message is read only when there is room for it.

gRPC keeps a message that nobody reads with its sender, but for one window of flow control (64 KiB to start with). How
long it is, nobody can know before it is read: so a unary call takes room for the longest, reads, and gives back what it
did not need. A stream waits for its next message without holding room; the message waits for room once it is there,
and until then the stream reads no other.

Whoever holds least comes first in line. A message that takes its time may do so, unless somebody waits for the room
that it is to fill: see `reading`.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass

from wronglung.errors import RETRY_MS, DeadlineExceeded, Overloaded, RequestInvalid
from wronglung.gateway.audit import Tally
from wronglung.gateway.line import Line
from wronglung.gateway.reading import Reading, Readings
from wronglung.limits import LIMITS


@dataclass(frozen=True, slots=True)
class Terms:
    """How much the gateway holds and how long it waits."""

    held_bytes: int = 256 * 1024 * 1024
    """Messages that are being read, checked, or worked on by TorchServe, together."""
    longest_bytes: int = LIMITS.message_bytes
    """What a message may have."""
    patience_s: float = 5.0
    """How long a unary call waits for room before it is refused."""
    reading_s: float = 60.0
    """How long the message of a unary call may take to arrive while nobody waits for its room."""
    crowded_s: float = 15.0
    """The same while somebody waits."""
    greedy_s: float = 2.0
    """The same while somebody waits who would hold less than the caller whose message it is."""


class Message:
    """A message that was read, and the room that it takes up."""

    def __init__(self, body: bytes, intake: "Intake", party: str) -> None:
        self.body = body
        self._intake: Intake | None = intake
        self._party = party

    def release(self) -> None:
        """Let go of the message and give back its room; a second time does nothing."""
        if self._intake is not None:
            size, self.body = len(self.body), b""
            self._intake.free(size, self._party)
            self._intake = None


class Intake:
    """Lets messages in as far as there is room.

    Args:
        terms: how much, and how long.
    """

    def __init__(self, terms: Terms = Terms()) -> None:
        self._terms = terms
        self._line = Line[int](self)
        self._readings = Readings(terms.reading_s, terms.crowded_s, terms.greedy_s)
        self._held_by = Counter[str]()

    @property
    def held(self) -> int:
        """Bytes that are taken up."""
        return self._held_by.total()

    async def read(self, messages: AsyncIterator[bytes], party: str = "", tally: Tally | None = None) -> Message:
        """Read the message of a unary call of a party; the tally is told how long it waited and read.

        Raises:
            Overloaded: there was no room for it in time, or it came slowly while others waited.
            DeadlineExceeded: it did not arrive in time.
            RequestInvalid: there is none.
        """
        longest, tally = self._terms.longest_bytes, tally or Tally()
        with tally.waiting():
            await self._enter_in_time(longest, party)
        try:
            with tally.reading():
                body = await self._arrival(messages, party)
        except BaseException:
            self.free(longest, party)
            raise
        self.free(longest - len(body), party)
        return Message(body, self, party)

    async def hold(self, body: bytes, party: str = "") -> Message:
        """Wait for room for a message that a stream of a party has read."""
        await self._enter(len(body), party)
        return Message(body, self, party)

    def free(self, size: int, party: str) -> None:
        """So many bytes of a party are free again; those who wait get them."""
        self.give_back(size, party)
        self._line.move_on()
        self._pace()

    def fits(self, size: int, party: str) -> bool:
        """Whether there is room for so many bytes."""
        return self.held == 0 or self.held + size <= self._terms.held_bytes

    def take(self, size: int, party: str) -> None:
        """They are taken up."""
        self._held_by[party] += size

    def give_back(self, size: int, party: str) -> None:
        """They are free again."""
        self._held_by[party] -= size
        if not self._held_by[party]:
            del self._held_by[party]

    def held_by(self, party: str) -> float:
        """How many bytes a party holds."""
        return self._held_by[party]

    async def _enter_in_time(self, size: int, party: str) -> None:
        try:
            async with asyncio.timeout(self._terms.patience_s):
                await self._enter(size, party)
        except TimeoutError as error:
            raise Overloaded("too many images are being sent: try again later", retry_after_ms=RETRY_MS) from error

    async def _enter(self, size: int, party: str) -> None:
        waiting = self._line.join(size, party)
        self._pace()
        try:
            await self._line.turn_of(waiting)
        finally:
            self._pace()

    def _pace(self) -> None:
        first = self._line.first
        if first is None:
            self._readings.nobody_waits()
        else:
            self._readings.somebody_waits(first.what + self._held_by[first.party], self.held_by)

    async def _arrival(self, messages: AsyncIterator[bytes], party: str) -> bytes:
        reading: Reading | None = None
        try:
            async with self._readings.of(party) as reading:
                self._pace()
                return await anext(messages)
        except TimeoutError as error:
            raise self._too_slow(hurried=reading is not None and reading.hurried) from error
        except StopAsyncIteration:
            raise RequestInvalid("the call has no message: send an AlignRequest") from None

    def _too_slow(self, *, hurried: bool) -> Overloaded | DeadlineExceeded:
        if hurried:
            message = "the request came slowly while others waited for its room: send fewer at a time, or try again"
            return Overloaded(message)  # without a time: no wait makes its line quicker
        waited = f"{self._terms.reading_s:g} s"
        return DeadlineExceeded(f"the request did not arrive within {waited}: send a smaller image")
