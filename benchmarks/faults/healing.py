"""When is a server healthy again: every part is there, it says so itself, and a new call to each model is right."""

import time
from collections.abc import Sequence

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from benchmarks.faults.cases import Case
from benchmarks.faults.ledger import Ledger
from benchmarks.faults.server import Server
from wronglung.client import AlignmentClient, Retry
from wronglung.errors import WronglungError

_POLL_S = 0.1
_PROBE_S = 10.0
_SERVICE = "wronglung.v1.AlignmentService"
_CHANNEL = [
    ("grpc.use_local_subchannel_pool", 1),  # what the load knows of the server is not for this one
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 200),
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_receive_message_length", -1),
]


class Healing:
    """Asks one server, past the proxy.

    Args:
        server: the server.
        cases: one for each model.
        ledger: where answers to probes are held against what is right, like all others.
    """

    def __init__(self, server: Server, cases: Sequence[Case], ledger: Ledger) -> None:
        self._server = server
        self._ledger = ledger
        self._cases = cases

    def await_healthy(self, dead: Sequence[int], within_s: float) -> float | None:
        """Wait until it is whole, without the processes that were killed; returns when it was, on the monotonic clock.

        None when it was not within so many seconds, or when its supervisor ended.
        """
        deadline = time.monotonic() + within_s
        with grpc.insecure_channel(self._server.target, options=_CHANNEL) as channel:
            while time.monotonic() < deadline and self._server.is_running:
                if self._is_whole(dead) and _says_so(channel) and self._answers(channel) and self._is_whole(dead):
                    return time.monotonic()
                time.sleep(_POLL_S)
        return None

    def _is_whole(self, dead: Sequence[int]) -> bool:
        return self._server.is_whole() and not {each.pid for each in self._server.family} & set(dead)

    def _answers(self, channel: grpc.Channel) -> bool:
        client = AlignmentClient(channel=channel, timeout_s=_PROBE_S, retry=Retry(attempts=1))
        return all(self._is_answered_rightly(client, case) for case in self._cases)

    def _is_answered_rightly(self, client: AlignmentClient, case: Case) -> bool:
        """A probe that fails says only that it is too early; it is no call that was promised an answer."""
        try:
            answer = client.align(case.image, case.sentences, model=case.model)
        except WronglungError:
            return False
        self._ledger.end(self._ledger.begin(), case, answer)
        return case.is_right(answer)


def _says_so(channel: grpc.Channel) -> bool:
    try:
        answer = HealthStub(channel).Check(HealthCheckRequest(service=_SERVICE), timeout=2)
    except grpc.RpcError:
        return False
    return bool(answer.status == HealthCheckResponse.SERVING)
