"""``python -m wronglung.plain SETTINGS``: serve models on loopback until SIGTERM; see `PlainSettings`."""

import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import start_http_server

from wronglung.plain.pool import WorkerDied
from wronglung.plain.server import PlainServer
from wronglung.plain.settings import PlainSettings


async def _serve(settings: PlainSettings) -> None:
    server = PlainServer(settings)
    start_http_server(settings.metrics_port, "127.0.0.1", server.page.registry)
    await server.start()
    stop = asyncio.Event()  # before this, SIGTERM ends the process, and the workers die with it
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await server.stop()


def main(arguments: Sequence[str]) -> int:
    """Serve; returns the exit status."""
    try:
        asyncio.run(_serve(PlainSettings.read(Path(arguments[0]))))
    except WorkerDied:
        print("a model cannot be loaded: see the logs of the workers", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
