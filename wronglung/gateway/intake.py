"""How many bytes of messages the gateway holds: a message is read only when there is room for it.

gRPC keeps a message that nobody reads with its sender, but for one window of flow control (64 KiB to start with). How
long it is, nobody can know before it is read: so a unary call takes room for the longest, reads, and gives back what it
did not need. A stream waits for its next message without holding room; the message waits for room once it is there,
and until then the stream reads no other.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

from wronglung.errors import DeadlineExceeded, Overloaded, RequestInvalid
from wronglung.limits import LIMITS

_RETRY_MS = 1000


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
    """How long the message of a unary call may take to arrive once there is room for it."""


class Message:
    """A message that was read, and the room that it takes up."""

    def __init__(self, body: bytes, intake: "Intake") -> None:
        self.body = body
        self._intake: Intake | None = intake

    def release(self) -> None:
        """Give back the room; a second time does nothing."""
        if self._intake is not None:
            self._intake.give_back(len(self.body))
            self._intake = None


class Intake:
    """Lets messages in, in order, as far as there is room."""

    def __init__(self, terms: Terms = Terms()) -> None:
        self._terms = terms
        self._line: deque[tuple[int, asyncio.Future[None]]] = deque()
        self.held = 0
        """Bytes that are taken up."""

    async def read(self, messages: AsyncIterator[bytes]) -> Message:
        """Read the message of a unary call.

        Raises:
            Overloaded: there was no room for it in time.
            DeadlineExceeded: it did not arrive in time.
            RequestInvalid: there is none.
        """
        longest = self._terms.longest_bytes
        try:
            async with asyncio.timeout(self._terms.patience_s):
                await self._take(longest)
        except TimeoutError as error:
            raise Overloaded("too many images are being sent: try again later", retry_after_ms=_RETRY_MS) from error
        try:
            body = await self._arrival(messages)
        except BaseException:
            self.give_back(longest)
            raise
        self.give_back(longest - len(body))
        return Message(body, self)

    async def hold(self, body: bytes) -> Message:
        """Wait for room for a message that a stream has read."""
        await self._take(len(body))
        return Message(body, self)

    def give_back(self, size: int) -> None:
        """So many bytes are free again."""
        self.held -= size
        while self._line and self._fits(self._line[0][0]):
            waiting, turn = self._line.popleft()
            if not turn.done():
                self.held += waiting
                turn.set_result(None)

    async def _arrival(self, messages: AsyncIterator[bytes]) -> bytes:
        try:
            async with asyncio.timeout(self._terms.reading_s):
                return await anext(messages)
        except TimeoutError as error:
            waited = f"{self._terms.reading_s:g} s"
            raise DeadlineExceeded(f"the request did not arrive within {waited}: send a smaller image") from error
        except StopAsyncIteration:
            raise RequestInvalid("the call has no message: send an AlignRequest") from None

    async def _take(self, size: int) -> None:
        if not self._line and self._fits(size):
            self.held += size
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append((size, turn))
        try:
            await turn
        except asyncio.CancelledError:
            self._give_up(size, turn)
            raise

    def _fits(self, size: int) -> bool:
        return self.held == 0 or self.held + size <= self._terms.held_bytes

    def _give_up(self, size: int, turn: "asyncio.Future[None]") -> None:
        """Leave the line, or give back the room that was granted at the same moment."""
        if turn.done() and not turn.cancelled():
            self.give_back(size)
        elif (size, turn) in self._line:
            self._line.remove((size, turn))
            self.give_back(0)
