"""Short messages of unary calls, read when there is a place for them and for seconds only.

gRPC reads the message of a unary method before it calls it: a caller who sends headers and no message would hold one of
the server's calls for as long as it likes. Registered as methods whose requests stream, to a caller the same, they are
called at once and read for themselves.
"""

import asyncio
from collections.abc import AsyncIterator

from wronglung.errors import DeadlineExceeded, Overloaded, RequestInvalid
from wronglung.gateway.shares import Places

_READING_S = 3.0
_LONGEST_BYTES = 4096
_RETRY_MS = 1000


class Questions:
    """Reads them.

    Args:
        most: how many may be on their way at once.
    """

    def __init__(self, most: int) -> None:
        self._places = Places(most, _full)

    async def read(self, messages: AsyncIterator[bytes], party: str) -> bytes:
        """The message of a call of a party.

        Raises:
            Overloaded: too many are on their way.
            DeadlineExceeded, RequestInvalid: see `read_question`.
        """
        with self._places.one(party):
            return await read_question(messages)


async def read_question(messages: AsyncIterator[bytes]) -> bytes:
    """The message of a call that has a place already.

    Raises:
        DeadlineExceeded: it did not arrive in time.
        RequestInvalid: there is none, or it is too long.
    """
    try:
        async with asyncio.timeout(_READING_S):
            body = await anext(messages)
    except TimeoutError as error:
        raise DeadlineExceeded(f"the request did not arrive within {_READING_S:g} s: send it again") from error
    except StopAsyncIteration:
        raise RequestInvalid("the call has no message: send one") from None
    if len(body) > _LONGEST_BYTES:
        raise RequestInvalid(f"the message has {len(body)} bytes; {_LONGEST_BYTES} are allowed here")
    return body


def _full() -> Overloaded:
    return Overloaded("too many questions are on their way: ask again later", retry_after_ms=_RETRY_MS)
