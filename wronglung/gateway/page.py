"""The page of metrics over HTTP: the gateway's own, followed by TorchServe's."""

import logging
import threading
import urllib.request
from collections.abc import Callable, Iterable
from typing import Any
from urllib.error import URLError
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from wronglung.gateway.metrics import Metrics

_TORCHSERVE_TIMEOUT_S = 2.0
_POLL_S = 0.05  # how soon `close` is noticed
_log = logging.getLogger(__name__)


class MetricsPage:
    """Serves ``/metrics`` from a thread of its own.

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
        self._server = make_server(host, port, self._answer, WSGIServer, _Quiet)
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
            with urllib.request.urlopen(self._torchserve_url, timeout=_TORCHSERVE_TIMEOUT_S) as page:  # noqa: S310
                return bytes(page.read())
        except (URLError, TimeoutError, ConnectionError) as error:
            _log.debug("TorchServe shows no metrics", extra={"error": str(error)})
            return b""


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """No line per scrape."""
