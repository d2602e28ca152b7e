"""A slow line: a TCP proxy that lets what a server sends through at so many bytes a second, or not at all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_CHUNK = 16 * 1024


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter, bytes_per_s: float) -> None:
    with suppress(ConnectionError):
        while data := await source.read(_CHUNK):
            sink.write(data)
            await sink.drain()
            await asyncio.sleep(len(data) / bytes_per_s)


@asynccontextmanager
async def slow_line(target: str, bytes_per_s: float) -> AsyncIterator[str]:
    """Gives the address of a proxy to `target`. What callers send passes at full speed."""
    host, port = target.split(":")

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        above_reader, above_writer = await asyncio.open_connection(host, int(port), limit=_CHUNK)
        ways = [
            asyncio.create_task(_copy(reader, above_writer, float("inf"))),
            asyncio.create_task(_copy(above_reader, writer, bytes_per_s)),
        ]
        with suppress(asyncio.CancelledError):  # the test is over
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way, end in zip(ways, (writer, above_writer), strict=True):
            way.cancel()
            end.close()

    server = await asyncio.start_server(connect, "127.0.0.1", 0, limit=_CHUNK)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
