"""A small TCP proxy between client and gateway that cuts a connection in the middle of a message."""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine
from typing import Any

_LONG_BYTES = 4096
"""More than any frame without part of a message: what is cut there is cut in mid-message."""
_READ_BYTES = 65536


class CuttingProxy:
    """Forwards connections to the gateway, in a thread of its own.

    Args:
        port: the gateway's, on this machine.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._cut = threading.Event()
        self._armed = False
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._server: asyncio.Server = self._run(asyncio.start_server(self._serve, "127.0.0.1", 0))

        self.port = int(self._server.sockets[0].getsockname()[1])
        """Where it listens."""

    @property
    def target(self) -> str:
        """Its address."""
        return f"127.0.0.1:{self.port}"

    def cut(self, within_s: float) -> bool:
        """Cut the next connection that carries part of a message, after half of that part; whether there was one."""
        self._cut.clear()
        self._armed = True
        done = self._cut.wait(within_s)
        self._armed = False
        return done

    def close(self) -> None:
        """Listen no more."""
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:  # nobody listens there, and so nobody seems to listen here
            _reset(writer)
            return
        ends = (writer, there_writer)
        ways = (self._forward(reader, there_writer), self._forward(there_reader, writer))
        tasks = [asyncio.create_task(way) for way in ways]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for end in ends:
            _reset(end)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hand on what comes until it ends or is cut."""
        try:
            while data := await reader.read(_READ_BYTES):
                cut = self._armed and len(data) > _LONG_BYTES
                writer.write(data[: len(data) // 2] if cut else data)
                await writer.drain()
                if cut:
                    self._armed = False
                    self._cut.set()
                    return
        except ConnectionError:  # one end is gone, and the other one will be
            return


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection as a cable does: without a word of goodbye."""
    there = writer.get_extra_info("socket")
    if there.fileno() >= 0:  # else it is closed already
        there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
