"""Short messages of unary calls, read when there is a place for them and for seconds only.

gRPC reads the message of a unary method before it calls it: a caller who sends headers and no message would hold one of
the server's calls for as long as it likes. Registered as methods whose requests stream, to a caller the same, they are
called at once and read for themselves.

How long a message is, nobody knows before it is read, up to the limit of the port, which is that of an image. So few
are read at the same time; whoever has fewer there comes first.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from wronglung.errors import RETRY_MS, DeadlineExceeded, Overloaded, RequestInvalid
from wronglung.gateway.line import Line
from wronglung.gateway.shares import Places

_READING_S = 3.0
_LONGEST_BYTES = 4096
_READERS, _READERS_OF_ONE = 8, 4
"""So many messages are read at the same time, and so many of them of one party: a short one takes no time."""


class Readers:
    """Where messages are read, by all of a server's methods that take a short one."""

    def __init__(self) -> None:
        self._line = Line[None](self)
        self._held_by = Counter[str]()

    @asynccontextmanager
    async def one(self, party: str) -> AsyncIterator[None]:
        """Read during the block, once it is the party's turn.

        Raises:
            Overloaded: the turn did not come in time.
        """
        try:
            async with asyncio.timeout(_READING_S):
                await self._line.turn_of(self._line.join(None, party))
        except TimeoutError as error:
            raise _full() from error
        try:
            yield
        finally:
            self.give_back(None, party)
            self._line.move_on()

    def fits(self, what: None, party: str) -> bool:
        """Whether one more may be read now."""
        return self._held_by.total() < _READERS and self._held_by[party] < _READERS_OF_ONE

    def take(self, what: None, party: str) -> None:
        """One is being read."""
        self._held_by[party] += 1

    def give_back(self, what: None, party: str) -> None:
        """It is no longer."""
        self._held_by[party] -= 1
        if not self._held_by[party]:
            del self._held_by[party]

    def held_by(self, party: str) -> float:
        """How many of a party are being read."""
        return self._held_by[party]


class Questions:
    """Reads them.

    Args:
        most: how many may be on their way at once.
        readers: where they are read.
    """

    def __init__(self, most: int, readers: Readers) -> None:
        self._places = Places(most, _full)
        self._readers = readers

    async def read(self, messages: AsyncIterator[bytes], party: str) -> bytes:
        """The message of a call of a party.

        Raises:
            Overloaded: too many are on their way.
            DeadlineExceeded, RequestInvalid: see `read_question`.
        """
        with self._places.one(party):
            return await read_question(messages, self._readers, party)


async def read_question(messages: AsyncIterator[bytes], readers: Readers, party: str) -> bytes:
    """The message of a call that has a place already.

    Raises:
        Overloaded: its turn to be read did not come in time.
        DeadlineExceeded: it did not arrive in time.
        RequestInvalid: there is none, or it is too long.
    """
    async with readers.one(party):
        try:
            async with asyncio.timeout(_READING_S):
                body = await anext(messages)
        except TimeoutError as error:
            raise DeadlineExceeded(f"the request did not arrive within {_READING_S:g} s: send it again") from error
        except StopAsyncIteration:
            raise RequestInvalid("the call has no message: send one") from None
    size = len(body)
    if size > _LONGEST_BYTES:
        del body  # the error refers to this frame, and would keep it
        raise RequestInvalid(f"the message has {size} bytes; {_LONGEST_BYTES} are allowed here")
    return body


def _full() -> Overloaded:
    return Overloaded("too many questions are on their way: ask again later", retry_after_ms=RETRY_MS)
