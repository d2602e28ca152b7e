"""The page of metrics over HTTP: the gateway's own, followed by TorchServe's."""

import logging
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable
from contextlib import suppress
from http.client import HTTPException
from socket import SHUT_RDWR
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from wronglung.gateway.metrics import Metrics

_TORCHSERVE_TIMEOUT_S = 2.0
_SILENCE_S = 10.0  # a caller who connects and then says nothing is cut off
_LONGEST_S = 15.0  # and so is one who says a byte now and then: from the connection to the end of the answer
_MOST_CALLERS = 16  # at once; each has a thread, and no address has more than are left free for others
_POLL_S = 0.05  # how soon `close` is noticed, and that somebody's time is up
_log = logging.getLogger(__name__)
# TorchServe is on this machine: a proxy that the environment names is not for it.
_without_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class MetricsPage:
    """Serves ``/metrics``, each caller from a thread of its own.

    Args:
        metrics: the gateway's.
        host: address to listen on.
        port: 0 for any free one.
        torchserve_url: TorchServe's page; empty: leave it out.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, metrics: Metrics, host: str, port: int, torchserve_url: str = "") -> None:
        self._metrics = metrics
        self._torchserve_url = torchserve_url
        try:
            self._server = make_server(host, port, self._answer, _Server, _Quiet)
        except OSError as error:
            why = error.strerror or error
            raise OSError(f"cannot listen on --metrics-port {port} of --metrics-host {host}: {why}") from error
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(_POLL_S,), name="metrics-page", daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/metrics":
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"only /metrics is here\n"]
        start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
        return [generate_latest(self._metrics.registry), self._torchserve()]

    def _torchserve(self) -> bytes:
        """TorchServe's page, or nothing while it does not answer (its models are then shown as not ready)."""
        if not self._torchserve_url:
            return b""
        try:
            with _without_proxy.open(self._torchserve_url, timeout=_TORCHSERVE_TIMEOUT_S) as page:
                return bytes(page.read())
        except (OSError, HTTPException) as error:
            _log.debug("TorchServe shows no metrics", extra={"error": str(error)})
            return b""


class _Server(ThreadingMixIn, WSGIServer):
    """One silent caller must hold up neither the others nor `close`, nor may all of them together hold many threads."""

    daemon_threads = True

    def __init__(self, *args: Any) -> None:
        self._callers: dict[Any, tuple[str, float]] = {}
        """The address of each, and when its time is up."""
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, unless there are enough of them: then hang up."""
        hosts, host = [each for each, _ in list(self._callers.values())], client_address[0]
        if hosts.count(host) >= _MOST_CALLERS - len(hosts):
            self.shutdown_request(request)
            return
        self._callers[request] = (host, time.monotonic() + _LONGEST_S)
        super().process_request(request, client_address)

    def service_actions(self) -> None:
        """Asked again and again: cut off those whose time is up; their threads end by that."""
        now = time.monotonic()
        for request in [each for each, (_, ends) in list(self._callers.items()) if ends <= now]:
            with suppress(OSError):  # it has just ended by itself
                request.shutdown(SHUT_RDWR)

    def shutdown_request(self, request: Any) -> None:
        """A caller is done with."""
        self._callers.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller who went away or said nothing is no defect of ours; anything else is."""
        error = sys.exception()
        level = logging.DEBUG if isinstance(error, OSError) else logging.ERROR
        _log.log(level, "scrape failed", exc_info=error)


class _Quiet(WSGIRequestHandler):
    timeout = _SILENCE_S

    def log_message(self, format: str, *args: Any) -> None:
        """No line per scrape."""
