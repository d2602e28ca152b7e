"""A plaintext port for those who can neither do TLS nor show a token: Kubernetes' probes.

It serves grpc.health.v1 and nothing else, and only for the whole: no model is named or can be asked for by name.
"""

import grpc.aio

from wronglung.address import address
from wronglung.gateway.board import HealthBoard
from wronglung.gateway.health import SERVICE
from wronglung.gateway.questions import Readers
from wronglung.gateway.security.callers import Caller
from wronglung.gateway.security.healthguard import HealthGuard

_MOST_CALLS = 32
_LARGEST_MESSAGE = 4096
_PROBE = Caller("-", models=frozenset())


class ProbePort:
    """The port.

    Args:
        board: holds the statuses.
        host: address to listen on.
        port: not 0.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, board: HealthBoard, host: str, port: int) -> None:
        options = [("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", _LARGEST_MESSAGE)]
        self._server = grpc.aio.server(options=options, maximum_concurrent_rpcs=_MOST_CALLS)
        most = _MOST_CALLS // 2
        guard = HealthGuard(board, f"{SERVICE}/", lambda _: _PROBE, most, most, Readers(), one_whole=True)
        self._server.add_generic_rpc_handlers([guard.handler()])
        try:
            self._server.add_insecure_port(address(host, port))
        except RuntimeError as error:
            raise OSError(f"cannot listen on --probe-port {port} of --probe-host {host}: {error}") from error

    async def start(self) -> None:
        """Answer."""
        await self._server.start()

    async def stop(self) -> None:
        """Stop at once."""
        await self._server.stop(None)
