"""The gateway as a process: everything put together, started, and stopped in order."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import grpc.aio

from wronglung.address import address
from wronglung.gateway.canary import Canary
from wronglung.gateway.health import SERVICE, Health
from wronglung.gateway.metrics import Metrics
from wronglung.gateway.page import MetricsPage
from wronglung.gateway.pipeline import Pipeline
from wronglung.gateway.reflection import Reflection
from wronglung.gateway.security.access import Access
from wronglung.gateway.security.healthguard import HEALTH_SERVICE, HealthGuard
from wronglung.gateway.security.options import UNPROTECTED, SecurityOptions
from wronglung.gateway.security.probe import ProbePort
from wronglung.gateway.service import AlignmentService, Most
from wronglung.gateway.upstream import TorchServeClient
from wronglung.gateway.versions import DefaultVersions
from wronglung.limits import LIMITS
from wronglung.served import read_models
from wronglung.tracing import open_tracer

_HEADROOM_BYTES = 64 * 1024
_OTHER_CALLS = 128
"""Kept free for health, reflection and lists of models: a server that is full of work must not look sick."""
_CHECKS = 64
"""Of health, whose message is on its way."""
_WATCHES = 256
"""Of health. A client that picks servers by their health has one open to each."""
_PING_S = 60.0
"""A connection on which nothing came for so long is asked whether its caller is still there."""
_PONG_S = 20.0
"""If it is, it says so within this time; else the connection is closed, and its calls give back what they hold."""
_CLOSING_S = 1.0
"""Beside the time to drain. gRPC would wait 20 s for a frozen peer to take notice; the end closes it as well."""
_NOTICE_S = 0.5
"""How long new calls are refused with advice before gRPC refuses them, which cuts off those on the way (CANCELLED)."""
_GIVING_UP_S = 1.0
"""At most; before the time to drain is over, callers are told that there was not enough of it."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a gateway needs to know."""

    models: Path
    """The table that was written with the archives."""
    torchserve: str
    """Address of TorchServe's gRPC API."""
    torchserve_metrics: str = ""
    """URL of TorchServe's page of metrics; empty: leave it out."""
    host: str = "127.0.0.1"
    port: int = 8500
    """0: any free one."""
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 0
    """0: any free one."""
    drain_s: float = 30.0
    """How long requests in flight may take to finish when the gateway stops."""
    connection_age_s: float = 0.0
    """Close connections after about so long, so that callers find new replicas; 0: never."""
    most: Most = field(default_factory=Most)
    """How much may be under way at once."""
    default_versions: Path | None = None
    """A file of the versions that answer callers who name none; see `DefaultVersions`."""
    security: SecurityOptions = UNPROTECTED
    """Who is let in, over what."""

    @property
    def server_options(self) -> list[tuple[str, int]]:
        """gRPC's options. Without so_reuseport=0 two gateways would share a port and neither would say so."""
        options = [
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", LIMITS.message_bytes),
            ("grpc.max_send_message_length", LIMITS.answer_bytes + _HEADROOM_BYTES),
            ("grpc.keepalive_time_ms", round(_PING_S * 1000)),
            ("grpc.keepalive_timeout_ms", round(_PONG_S * 1000)),
            ("grpc.http2.ping_timeout_ms", round(_PONG_S * 1000)),  # the longer of the two would count
            ("grpc.http2.max_pings_without_data", 0),  # as many as it takes: a stream may say nothing for long
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ]
        if self.connection_age_s:
            options.append(("grpc.max_connection_age_ms", round(self.connection_age_s * 1000)))
            options.append(("grpc.max_connection_age_grace_ms", round(self.drain_s * 1000)))
        return options


class Gateway:
    """One gateway.

    Args:
        settings: see there.
        on_health: told the names of the models that fail, at the start and at every change.
        metrics: where it counts; its page shows all of them.

    Raises:
        OSError: a file that the settings name cannot be read.
        ValueError: one cannot be used, or the settings contradict each other.
    """

    def __init__(self, settings: Settings, on_health: Callable[[Sequence[str]], None], metrics: Metrics) -> None:
        self._settings = settings
        self.metrics = metrics
        self._upstream = TorchServeClient(settings.torchserve)
        catalogue = read_models(settings.models)
        canary = Canary(self._upstream, self.metrics)
        self.health = Health(catalogue, canary.send, self.metrics, on_health)
        self._versions: DefaultVersions | None = None
        if settings.default_versions is not None:
            self._versions = DefaultVersions(settings.default_versions, catalogue, self.metrics, self._publish)
        self._catalogue = catalogue
        self._note_defaults()
        self._tracer = open_tracer("wronglung-gateway")
        served = {model.name for model in catalogue.models}
        self.access = Access(settings.security, settings.host, self.metrics, served)
        pipeline = Pipeline(catalogue, self._upstream, self.health, self.metrics, self._tracer)
        self._service = AlignmentService(
            pipeline, catalogue, self.health, self.metrics, self._tracer, self.access.callers, settings.most
        )
        # The service bounds alignments; this bounds what it is not asked about, and what gRPC reads before it is asked.
        self._server = grpc.aio.server(
            options=settings.server_options,
            maximum_concurrent_rpcs=settings.most.calls + _WATCHES + _OTHER_CALLS,
            interceptors=self.access.interceptors,
        )
        self._probes: ProbePort | None = None
        self._page: MetricsPage | None = None
        self._refusing: asyncio.Task[None] | None = None  # held here: the event loop itself keeps no task alive

    async def start(self) -> tuple[int, int]:
        """Listen; returns the ports of gRPC and of the page of metrics.

        Raises:
            OSError: a port is taken.
        """
        settings = self._settings
        board, who, readers = self.health.board, self.access.callers.of, self._service.readers
        health = HealthGuard(board, f"{SERVICE}/", who, _WATCHES, _CHECKS, readers)
        self._server.add_generic_rpc_handlers([self._service.handler(), health.handler()])
        Reflection((SERVICE, HEALTH_SERVICE), self._service.ending.draining, self.access.callers).add_to(self._server)
        try:
            port = self.access.listen(self._server, address(settings.host, settings.port))
        except RuntimeError as error:
            raise OSError(f"cannot listen on --port {settings.port} of --host {settings.host}: {error}") from error
        self._page = MetricsPage(
            self.metrics, settings.metrics_host, settings.metrics_port, settings.torchserve_metrics
        )
        if settings.security.probe_port:
            probe_host, probe_port = settings.security.probe_host, settings.security.probe_port
            self._probes = ProbePort(self.health.board, probe_host, probe_port)
            await self._probes.start()
        self.access.start(self.health.board.look_again)
        if self._versions is not None:
            self._versions.start()
        await self._server.start()
        # Last, and its canaries begin when this returns: nothing is said to be ready before the caller knows the ports.
        await self.health.start()
        return port, self._page.port

    def _publish(self) -> None:
        """Let everybody see that the default versions are others."""
        self._note_defaults()
        self.health.publish()

    def _note_defaults(self) -> None:
        defaults = self._catalogue.defaults
        for model in self._catalogue.models:
            self.metrics.default_version.labels(model.name, model.version).set(model in defaults)

    async def stop(self) -> None:
        """Not serving any more; refuse what is new; finish what was taken on; end."""
        _log.info("draining")
        await self.health.drain()
        self._service.ending.draining.set()
        await self._finish_calls()
        await self.access.stop()
        if self._versions is not None:
            await self._versions.stop()
        await self._upstream.close()
        if self._probes is not None:
            await self._probes.stop()
        await asyncio.to_thread(self._tracer.close)
        if self._page is not None:
            self._page.close()
        _log.info("stopped")

    async def _finish_calls(self) -> None:
        """Refuse new calls, and wait until every answer has been taken by its caller. Watches end with the work."""
        await asyncio.sleep(_NOTICE_S)
        now, drain_s = asyncio.get_running_loop().time, self._settings.drain_s
        ends = now() + drain_s + _CLOSING_S
        self._refusing = asyncio.create_task(self._server.stop(drain_s))
        giving_up_s = min(_GIVING_UP_S, drain_s / 2)
        if not await self._is_idle_within(drain_s - giving_up_s):
            _log.warning("the time to drain is over: callers are told to send again what is not done")
            self._service.ending.out_of_time.set()
            await self._is_idle_within(giving_up_s)
        self.health.board.end_watches()
        with suppress(TimeoutError):
            # Shielded: gRPC's own objects must outlive what it still waits for.
            await asyncio.wait_for(asyncio.shield(self._refusing), ends - now())

    async def _is_idle_within(self, seconds: float) -> bool:
        """Whether all calls are done within so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._service.idle.wait()
        except TimeoutError:
            return False
        return True
