"""The ports of a server, as `wronglung doctor` finds them: free, or held by a server that is well."""

import urllib.request
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPException
from typing import NamedTuple

import grpc

from wronglung.address import address
from wronglung.client import AlignmentClient, Retry
from wronglung.commands.connection import models_when_ready
from wronglung.errors import WronglungError
from wronglung.supervisor.ports import PortTaken, require_free

Connect = Callable[..., AlignmentClient]
_ASK_S = 5.0
_SERVING = b"\x08\x01"
"""A HealthCheckResponse: its first field is SERVING. Its messages are not installed where nothing is served."""
_without_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Place(NamedTuple):
    """What a server listens on, or shall."""

    flag: str
    """That of the port."""
    host: str
    port: int
    """0: the server asks for none by its number."""


def gateway_finding(place: Place, wait_s: float, connect: Connect) -> str:
    """What is found at the gateway's port; with `wait_s`, a server must be there by then.

    Raises:
        OSError, RuntimeError, WronglungError: neither a free port nor a server that is well.
    """
    if wait_s > 0:
        return _server(place, wait_s, connect)
    try:
        return _free_or(place, lambda: _server(place, 0.0, connect))
    except PortTaken as error:
        raise PortTaken(f"{error}; if a server has it that asks who calls, give --tls-root, --token-file") from error


def page_finding(place: Place) -> str:
    """What is found at the port of the page of metrics. Raises as `gateway_finding`."""
    return _free_or(place, lambda: _page(place))


def probe_finding(place: Place) -> str:
    """What is found at the port for probes. Raises as `gateway_finding`."""
    return _free_or(place, lambda: _probes(place))


def _free_or(place: Place, ask: Callable[[], str]) -> str:
    """That the port is free, or else what `ask` finds of the server that has it; "" of another program."""
    try:
        require_free(place.host, place.port, place.flag)
    except PortTaken:
        with suppress(WronglungError):
            if found := ask():
                return found
        raise
    return f"free on {place.host}"


def _server(place: Place, wait_s: float, connect: Connect) -> str:
    """What the server there serves, once everything is ready."""
    with connect(address(place.host, place.port), timeout_s=_ASK_S, retry=Retry(attempts=1)) as client:
        models = models_when_ready(client, wait_s)
    if not models:
        raise RuntimeError("a server answers, but this caller may use none of its models: see the file of its --tokens")
    names = ", ".join(f"{each.identity.name} {each.identity.version}" for each in models if not each.ready)
    if names:
        raise RuntimeError(
            f"a server answers, but these models are not ready: {names}. Wait (--wait), then see its log"
        )
    return f"a server answers on {place.host} with {len(models)} models, all ready"


def _page(place: Place) -> str:
    url = f"http://{address(place.host, place.port)}/metrics"
    try:
        with _without_proxy.open(url, timeout=_ASK_S) as page:
            ours = b"wronglung_model_ready" in page.read()
    except (OSError, HTTPException):
        return ""
    return f"a server shows its metrics on {place.host}" if ours else ""


def _probes(place: Place) -> str:
    options = [("grpc.enable_http_proxy", 0)]
    with grpc.insecure_channel(address(place.host, place.port), options=options) as channel:
        try:
            answer = channel.unary_unary("/grpc.health.v1.Health/Check", bytes, bytes)(b"", timeout=_ASK_S)
        except grpc.RpcError:
            return ""
    if answer != _SERVING:
        raise RuntimeError("a server answers probes, but it is not ready. Wait (--wait), then see its log")
    return f"a server answers probes on {place.host}"
