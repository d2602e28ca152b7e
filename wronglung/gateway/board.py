"""grpc.health.v1, as far as one server tells it: the status of each service, and watches of them.

The servicer of grpcio-health-checking holds a lock while it writes to a watch, so that one reader who stops reading
holds up every change of the service. Here a change is noted and nobody is waited for.
"""

import asyncio
from typing import Any

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from wronglung.errors import ModelUnavailable

_RETRY_MS = 1000


class HealthBoard:
    """The statuses, by service. Nothing is known of a service that was never set."""

    def __init__(self) -> None:
        self._statuses: dict[str, HealthCheckResponse.ServingStatus] = {}
        self._changed = asyncio.Event()
        self._rights = 0
        self._for_good = self._ended = False

    def set(self, service: str, status: HealthCheckResponse.ServingStatus) -> None:
        """Note a status; watches are told of it in their own time."""
        if not self._for_good:
            self._statuses[service] = status
            self._tell()

    def look_again(self) -> None:
        """Tell every watch its status once more: who may see it may have changed."""
        self._rights += 1
        self._tell()

    def drain(self) -> None:
        """Nothing is served any more, for good."""
        self._statuses = dict.fromkeys(self._statuses, HealthCheckResponse.NOT_SERVING)
        self._for_good = True
        self._tell()

    def end_watches(self) -> None:
        """End them: whoever watches is to look elsewhere."""
        self._ended = True
        self._tell()

    async def Check(self, request: HealthCheckRequest, context: Any) -> HealthCheckResponse:
        """The status of a service."""
        status = self._statuses.get(request.service)
        if status is None:
            await context.abort(grpc.StatusCode.NOT_FOUND)
        return HealthCheckResponse(status=status)

    async def Watch(self, request: HealthCheckRequest, context: Any) -> None:
        """The status of a service, and again whenever it changes. Who reads slowly misses what came between.

        Raises:
            ModelUnavailable: the server ends.
        """
        told = None
        while not self._ended:
            changed = self._changed
            status = self._statuses.get(request.service, HealthCheckResponse.SERVICE_UNKNOWN)
            if (now := (status, self._rights)) != told:
                await context.write(HealthCheckResponse(status=status))
                told = now
            else:
                await changed.wait()
        raise ModelUnavailable("the server is shutting down: watch another", retry_after_ms=_RETRY_MS)

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
