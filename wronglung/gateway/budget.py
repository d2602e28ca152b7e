"""A budget of bytes with one spender: a stream's reader, for the answers that its caller has not taken yet."""

import asyncio


class Budget:
    """So many bytes.

    Args:
        size: how many; must hold the most that is taken at once.
    """

    def __init__(self, size: int) -> None:
        self._free = size
        self._more = asyncio.Event()

    async def take(self, size: int) -> None:
        """Wait until so many bytes are free, and take them."""
        while self._free < size:
            self._more.clear()
            await self._more.wait()
        self._free -= size

    def give_back(self, size: int) -> None:
        """They are free again."""
        self._free += size
        self._more.set()
