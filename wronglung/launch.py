"""From a model store to a running instance: a private directory, the backend, the gateway, and the supervisor."""

import asyncio
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from wronglung.archives import models_in
from wronglung.backends import BACKENDS, Request, models_table
from wronglung.console import Console
from wronglung.gateway.metrics import Metrics
from wronglung.gateway.security.access import Access
from wronglung.gateway.security.options import UNPROTECTED, SecurityOptions
from wronglung.gateway.versions import DefaultVersions
from wronglung.home import project_home
from wronglung.served import Catalogue
from wronglung.supervisor.backend import Backend
from wronglung.supervisor.ports import require_all_free
from wronglung.supervisor.supervisor import Patience, Supervisor
from wronglung.tracing import endpoint_key


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What `wronglung serve` was asked for; see its flags."""

    models: Sequence[str] | None
    model_store: Path | None
    host: str
    port: int
    metrics_host: str
    metrics_port: int
    startup_s: float
    drain_s: float
    connection_age_s: float
    java_heap_mb: int
    log_level: str
    command: Sequence[str]
    security: SecurityOptions = UNPROTECTED
    default_versions: Path | None = None
    backend: str = "torchserve"
    """One of `BACKENDS`."""


def serve(options: ServeOptions, console: Console) -> int:
    """Serve until a signal arrives or the command ends; returns the exit status.

    Raises:
        PartFailed: a part failed and could not be kept alive.
        SystemExit: SIGTERM came before anything was started.
        HomeMissing, JavaMissing, StoreError, ModelFilesError, OSError, ValueError: what was asked for cannot be.
    """
    Access(options.security, options.host, Metrics())  # what cannot be used is told before anything starts
    endpoint_key()
    require_all_free(
        {
            "--port": (options.host, options.port),
            "--metrics-port": (options.metrics_host, options.metrics_port),
            "--probe-port": (options.security.probe_host, options.security.probe_port),
        }
    )
    # Until the supervisor listens to signals itself, one must not leave the copies of the weights behind.
    signal.signal(signal.SIGTERM, _leave)
    with tempfile.TemporaryDirectory(prefix="wronglung-", ignore_cleanup_errors=True) as directory:
        return _serve(options, Path(directory).resolve(), console)


def _leave(number: int, _frame: object) -> NoReturn:
    """End by an exception, so that everything on the way is cleaned up."""
    raise SystemExit(128 + number)


def _serve(options: ServeOptions, directory: Path, console: Console) -> int:
    home = project_home()
    store = options.model_store or home / "model_store"
    request = Request(options.models or models_in(store), store, home, directory, options.java_heap_mb)
    backend, served = BACKENDS[options.backend](request, console.progress)
    if options.default_versions is not None:  # what cannot be used is told before anything starts
        DefaultVersions(options.default_versions, Catalogue(served), Metrics(), on_change=lambda: None)
    backend.prepare()
    console.say(f"starting {', '.join(f'{model.name} {model.version}' for model in served)}; logs in {backend.logs}")
    supervisor = Supervisor(
        backend,
        _gateway_command(options, backend),
        port=options.port,
        metrics_port=options.metrics_port,
        command=options.command,
        say=console.say,
        on_wait=console.waiting,
        patience=replace(Patience(), startup_s=options.startup_s, gateway_drain_s=options.drain_s),
    )
    return asyncio.run(supervisor.run())


def _gateway_command(options: ServeOptions, backend: Backend) -> list[str]:
    return [
        *(sys.executable, "-m", "wronglung.gateway"),
        f"--models={models_table(backend.directory)}",
        f"--torchserve={backend.target}",
        f"--torchserve-metrics={backend.metrics_url}",
        f"--host={options.host}",
        f"--metrics-host={options.metrics_host}",
        f"--drain-s={options.drain_s}",
        f"--connection-age-s={options.connection_age_s}",
        *([f"--default-versions={options.default_versions}"] if options.default_versions else []),
        f"--log-level={options.log_level}",
        *options.security.flags(),
    ]
