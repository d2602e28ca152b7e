"""How far a stop has come: first nothing new is begun, and at last nothing is waited for any longer."""

import asyncio
import traceback
from collections.abc import Awaitable
from typing import TypeVar

from wronglung.errors import RETRY_MS, ModelUnavailable

T = TypeVar("T")


class Ending:
    """Of one server."""

    def __init__(self) -> None:
        self.draining = asyncio.Event()
        """Nothing new is taken on."""
        self.out_of_time = asyncio.Event()
        """What was taken on and is not done has no more time."""

    async def unless_too_late(self, work: Awaitable[T]) -> T:
        """Do a work for a caller, or stop waiting for it: gRPC would cut the call off without a word of why.

        What it gives must own nothing: a caller that goes away at the moment when it is done does not get it.

        Raises:
            ModelUnavailable: the server had no more time for it.
            Exception: whatever the work raises.
        """
        doing, too_late = asyncio.ensure_future(work), asyncio.ensure_future(self.out_of_time.wait())
        try:
            await asyncio.wait([doing, too_late], return_when=asyncio.FIRST_COMPLETED)
            if doing.done():
                return doing.result()
        finally:
            too_late.cancel()
            if not doing.done():
                doing.cancel()
                await asyncio.gather(doing, return_exceptions=True)  # it gives back what it holds
            elif not doing.cancelled() and (error := doing.exception()) is not None:
                traceback.clear_frames(error.__traceback__)  # they hold the request, and the error refers to them
                del error
            del doing  # or this frame, to which the error refers, would hold the error
        raise ModelUnavailable(
            "the server is shutting down and had no time to finish this: send it again", retry_after_ms=RETRY_MS
        )
