"""``wronglung serve``: TorchServe and the gateway as one thing that starts, says when it is ready, and stops."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from wronglung.archives import StoreError, build_archives, models_in
from wronglung.home import HomeMissing, project_home
from wronglung.model.errors import ModelFilesError
from wronglung.served import MODELS_FILE, ServedModel
from wronglung.supervisor.java import JavaMissing, find_java
from wronglung.supervisor.ports import free_ports, require_free
from wronglung.supervisor.supervisor import PartFailed, Patience, Supervisor
from wronglung.supervisor.torchserve import TorchServe, threads_per_worker

CANNOT_START = 2
"""Exit status when what was asked for cannot be: a port is taken, a model or Java is missing."""
FAILED = 1
"""Exit status when a part failed and could not be kept alive."""

_PATIENCE = Patience()


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "serve",
        help="serve models over gRPC",
        description="Serve models over gRPC until SIGTERM or Ctrl-C. With -- COMMAND: run COMMAND once everything is "
        "ready, with WRONGLUNG_TARGET and WRONGLUNG_METRICS_URL set, then stop and exit with its status.",
    )
    add = parser.add_argument
    add("--models", nargs="+", metavar="NAME", help="models of the store to serve (default: all)")
    add("--model-store", type=Path, metavar="DIR", help="folder that holds the models (default: model_store)")
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=8500, help="port to listen on, 0 for any free one (default: %(default)s)")
    add("--metrics-host", default="127.0.0.1", help="address of the page of metrics (default: %(default)s)")
    add("--metrics-port", type=int, default=0, help="port of the page of metrics (default: any free one)")
    add("--startup-timeout", type=float, default=_PATIENCE.startup_s, metavar="SECONDS", help="default: %(default)s")
    add(
        "--drain",
        type=float,
        default=_PATIENCE.gateway_drain_s,
        metavar="SECONDS",
        help="for requests in flight to finish at a stop (default: %(default)s)",
    )
    add("--java-heap", type=int, default=1024, metavar="MB", help="memory of TorchServe's Java (default: %(default)s)")
    add("--log-level", default="info", choices=["debug", "info", "warning", "error"], help="default: %(default)s")
    add("command", nargs="*", metavar="-- COMMAND", help="run this once everything is ready")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve; returns the exit status."""
    try:
        require_free(args.host, args.port, "--port")
        require_free(args.metrics_host, args.metrics_port, "--metrics-port")
        with tempfile.TemporaryDirectory(prefix="wronglung-", ignore_cleanup_errors=True) as directory:
            return _serve(args, Path(directory).resolve())
    except (HomeMissing, JavaMissing, StoreError, ModelFilesError, OSError, ValueError) as error:
        _say(str(error))
        return CANNOT_START
    except PartFailed as error:
        _say(str(error))
        return FAILED


def _serve(args: argparse.Namespace, directory: Path) -> int:
    home = project_home()
    store = args.model_store or home / "model_store"
    archives = directory / "archives"
    served = build_archives(args.models or models_in(store), store, archives, home)
    torchserve = _torchserve(served, directory, home, archives, args.java_heap)
    torchserve.prepare()
    _say(f"starting {', '.join(f'{model.name} {model.version}' for model in served)}; logs in {torchserve.logs}")
    supervisor = Supervisor(
        torchserve,
        _gateway_command(args, torchserve),
        port=args.port,
        metrics_port=args.metrics_port,
        command=args.command,
        say=_say,
        patience=replace(_PATIENCE, startup_s=args.startup_timeout, gateway_drain_s=args.drain),
    )
    return asyncio.run(supervisor.run())


def _torchserve(served: Sequence[ServedModel], directory: Path, home: Path, archives: Path, heap_mb: int) -> TorchServe:
    grpc_port, grpc_management_port, metrics_port = free_ports(3)
    return TorchServe(
        directory=directory,
        home=home,
        java=find_java(),
        archives=archives,
        models=tuple(model.name for model in served),
        grpc_port=grpc_port,
        grpc_management_port=grpc_management_port,
        metrics_port=metrics_port,
        threads=threads_per_worker(sum(model.workers for model in served)),
        heap_mb=heap_mb,
    )


def _gateway_command(args: argparse.Namespace, torchserve: TorchServe) -> list[str]:
    return [
        sys.executable,
        "-m",
        "wronglung.gateway",
        f"--models={torchserve.archives / MODELS_FILE}",
        f"--torchserve={torchserve.target}",
        f"--torchserve-metrics={torchserve.metrics_url}",
        f"--host={args.host}",
        f"--metrics-host={args.metrics_host}",
        f"--drain-s={args.drain}",
        f"--log-level={args.log_level}",
    ]


def _say(message: str) -> None:
    print(f"wronglung serve: {message}", file=sys.stderr, flush=True)
