"""``python -m wronglung.gateway``: reports on standard output, one JSON object per line, and logs on standard error.

The reports are ``{"listening": {"target", "port", "metrics_port", "metrics_url"}}``, once, and
``{"failing": [models]}``, at the start and whenever a model becomes ready or fails.
"""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from wronglung.address import address
from wronglung.arguments import port, seconds
from wronglung.gateway.logs import log_to_stderr
from wronglung.gateway.metrics import Metrics
from wronglung.gateway.security.options import add_security, take_security
from wronglung.gateway.server import Gateway, Settings


def _parse(arguments: Sequence[str]) -> tuple[Settings, str]:
    parser = argparse.ArgumentParser(prog="wronglung.gateway", description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, required=True, metavar="FILE", help="table written with the archives")
    parser.add_argument("--torchserve", required=True, metavar="HOST:PORT", help="TorchServe's gRPC API")
    parser.add_argument("--torchserve-metrics", default="", metavar="URL", help="TorchServe's page of metrics")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=port, default=8500, help="0: any free one (default: %(default)s)")
    parser.add_argument("--metrics-host", default="127.0.0.1", help="address of /metrics (default: %(default)s)")
    parser.add_argument("--metrics-port", type=port, default=0, help="port of /metrics (default: any free one)")
    parser.add_argument(
        "--drain-s", type=seconds(0), default=30.0, help="seconds to finish at a stop (default: %(default)s)"
    )
    parser.add_argument("--default-versions", type=Path, metavar="FILE", help="versions for callers who name none")
    parser.add_argument(
        "--connection-age-s", type=seconds(0), default=0.0, help="close connections after so many seconds"
    )
    parser.add_argument("--log-level", default="info", choices=["debug", "info", "warning", "error"])
    add_security(parser)
    args = parser.parse_args(arguments)
    security = take_security(args)
    values = vars(args)
    level = values.pop("log_level")
    return Settings(**values, security=security), level


def _reached_at(host: str, port: int) -> str:
    """Where a caller on this machine finds what listens on `host`."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - not listened on, but recognised
    return address(everywhere.get(host, host), port)


def _report(**report: object) -> None:
    print(json.dumps(report), flush=True)


async def _serve(settings: Settings, metrics: Metrics) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    gateway = Gateway(settings, on_health=lambda failing: _report(failing=list(failing)), metrics=metrics)
    port, metrics_port = await gateway.start()
    _report(
        listening={
            "target": _reached_at(settings.host, port),
            "port": port,
            "metrics_port": metrics_port,
            "metrics_url": f"http://{_reached_at(settings.metrics_host, metrics_port)}/metrics",
        }
    )
    await stop.wait()
    await gateway.stop()


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM; returns the exit status."""
    settings, level = _parse(arguments)
    metrics = Metrics()
    log_to_stderr(level, on_lost=metrics.lost_log_lines.inc)
    try:
        asyncio.run(_serve(settings, metrics))
    except (OSError, ValueError) as error:
        print(f"wronglung.gateway: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
