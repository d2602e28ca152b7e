"""The messages of a call, each let go of once it is read."""

from collections.abc import AsyncIterator
from typing import Any

import grpc.aio


class Received(AsyncIterator[Any]):
    """What a caller sends, in order.

    In place of the iterator that gRPC hands to a method: that is a generator which holds the last message until the
    next one comes, and after the call until the collector of cycles finds it. With images that is gigabytes, of which
    no count of what is held would know.

    Args:
        context: the call's.
    """

    def __init__(self, context: Any) -> None:
        self._context = context

    async def __anext__(self) -> Any:
        """The next message.

        Raises:
            StopAsyncIteration: there is none.
        """
        message = await self._context.read()
        if message is grpc.aio.EOF:  # type: ignore[attr-defined] # the stubs do not know it
            raise StopAsyncIteration
        return message
