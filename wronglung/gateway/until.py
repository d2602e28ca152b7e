"""Reading that can be ended from outside."""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

T = TypeVar("T")


async def until(stop: asyncio.Event, items: AsyncIterator[T]) -> AsyncIterator[T]:
    """The items up to their end or until `stop` is set."""
    stopped = asyncio.ensure_future(stop.wait())
    try:
        while not stop.is_set():
            item = asyncio.ensure_future(anext(items))
            try:
                await asyncio.wait([item, stopped], return_when=asyncio.FIRST_COMPLETED)
                if not item.done():
                    return
                yield item.result()
            except StopAsyncIteration:
                return
            finally:
                item.cancel()
    finally:
        stopped.cancel()
