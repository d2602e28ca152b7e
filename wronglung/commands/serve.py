"""``wronglung serve``: TorchServe and the gateway as one thing that starts, says when it is ready, and stops."""

import argparse
from dataclasses import fields
from pathlib import Path
from typing import Any

from wronglung.arguments import mebibytes, port, seconds
from wronglung.console import Console
from wronglung.gateway.security.options import add_security, take_security

CANNOT_START = 2
"""Exit status when what was asked for cannot be: a port is taken, a model or Java is missing."""
FAILED = 1
"""Exit status when a part failed and could not be kept alive."""
_EXAMPLES = """\
examples:
  wronglung serve --models encoder encoder-optout
  wronglung serve --host 0.0.0.0 --tls-cert server.pem --tls-key server-key.pem --tokens tokens.txt
  wronglung serve --backend plain
  wronglung serve --port 0 -- harness run harness/runs/demo.yaml
"""


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "serve",
        help="serve models over gRPC",
        description="Serve models over gRPC until SIGTERM or Ctrl-C. With -- COMMAND: run COMMAND once everything is "
        "ready, with WRONGLUNG_TARGET and WRONGLUNG_METRICS_URL set, then stop and exit with its status.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--models", nargs="+", metavar="NAME", help="models of the store to serve (default: all)")
    add("--model-store", type=Path, metavar="DIR", help="folder that holds the models (default: model_store)")
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=port, default=8500, help="port to listen on, 0 for any free one (default: %(default)s)")
    add("--metrics-host", default="127.0.0.1", help="address of the page of metrics (default: %(default)s)")
    add("--metrics-port", type=port, default=0, help="port of the page of metrics (default: any free one)")
    add("--startup-timeout", type=seconds(1), default=300.0, dest="startup_s", metavar="SECONDS", help="default: 300")
    add("--drain", type=seconds(0), default=30.0, dest="drain_s", metavar="SECONDS", help="to end work (default: 30)")
    add(
        "--default-versions",
        type=Path,
        metavar="FILE",
        help="lines of MODEL VERSION: what callers get who name no version; watched (default: the first of --models)",
    )
    add(
        "--connection-age",
        type=seconds(0),
        default=0.0,
        dest="connection_age_s",
        metavar="SECONDS",
        help="close connections after about so long, so that callers find new replicas (default: never)",
    )
    add(
        "--backend",
        choices=["torchserve", "plain"],
        default="torchserve",
        help="what runs the models: TorchServe, or worker processes in Python alone, without Java and without batches "
        "(default: %(default)s)",
    )
    add("--java-heap", type=mebibytes(64), default=1024, dest="java_heap_mb", metavar="MB", help="default: 1024")
    add("--log-level", default="info", choices=["debug", "info", "warning", "error"], help="default: %(default)s")
    add_security(parser)
    add("command", nargs="*", metavar="-- COMMAND", help="run this once everything is ready")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve; returns the exit status."""
    console = Console("serve")
    try:
        from wronglung.archives import StoreError
        from wronglung.home import HomeMissing
        from wronglung.launch import ServeOptions, serve
        from wronglung.model.errors import ModelFilesError
        from wronglung.supervisor.java import JavaMissing
        from wronglung.supervisor.supervisor import PartFailed
    except ModuleNotFoundError as error:
        return _fail(console, f"{error}: install wronglung with the extra 'serve'", CANNOT_START)
    args.security = take_security(args)
    options = ServeOptions(**{field.name: getattr(args, field.name) for field in fields(ServeOptions)})
    try:
        return serve(options, console)
    except PartFailed as error:
        return _fail(console, str(error), FAILED)
    except (HomeMissing, JavaMissing, StoreError, ModelFilesError, OSError, ValueError) as error:
        return _fail(console, str(error), CANNOT_START)


def _fail(console: Console, message: str, status: int) -> int:
    console.say(message)
    return status
