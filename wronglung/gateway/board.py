"""The health of each model, and watches of it.

The servicer of grpcio-health-checking holds a lock while it writes to a watch, so that one reader who stops reading
holds up every change of the service. Here a change is noted and nobody is waited for.
"""

import asyncio
from collections.abc import Awaitable, Callable

from grpc_health.v1.health_pb2 import HealthCheckResponse

from wronglung.errors import RETRY_MS, ModelUnavailable

Status = int
"""One of `HealthCheckResponse.ServingStatus`."""
_UNKNOWN: Status = HealthCheckResponse.SERVICE_UNKNOWN
_SERVING: Status = HealthCheckResponse.SERVING
_NOT_SERVING: Status = HealthCheckResponse.NOT_SERVING


class HealthBoard:
    """The statuses, by the name that each model's service has. Who may see which is for others to say."""

    def __init__(self) -> None:
        self._statuses: dict[str, Status] = {}
        self._changed = asyncio.Event()
        self._for_good = self._ended = False

    def set(self, service: str, status: Status) -> None:
        """Note a status; watches are told of it in their own time."""
        if not self._for_good:
            self._statuses[service] = status
            self._tell()

    def look_again(self) -> None:
        """Have every watch look once more: who may see what may have changed."""
        self._tell()

    def drain(self) -> None:
        """Nothing is served any more, for good."""
        self._statuses = dict.fromkeys(self._statuses, _NOT_SERVING)
        self._for_good = True
        self._tell()

    def end_watches(self) -> None:
        """End them: whoever watches is to look elsewhere."""
        self._ended = True
        self._tell()

    def of(self, service: str) -> Status:
        """The status of one service; SERVICE_UNKNOWN of one that was never set."""
        return self._statuses.get(service, _UNKNOWN)

    def of_all(self, counts: Callable[[str], bool]) -> Status:
        """SERVING when every service that counts is, and there is one."""
        counted = [status for service, status in self._statuses.items() if counts(service)]
        return _SERVING if counted and all(status == _SERVING for status in counted) else _NOT_SERVING

    async def follow(self, look: Callable[[], Status], write: Callable[[HealthCheckResponse], Awaitable[None]]) -> None:
        """Write what is seen, and again whenever that changes; of what changes unseen nothing can be told.

        Who takes it slowly misses what came between.

        Args:
            look: tells the status for whoever watches, now; what it raises ends the watch.
            write: takes an answer.

        Raises:
            ModelUnavailable: the server ends.
        """
        told = None
        while not self._ended:
            changed = self._changed
            if (now := look()) != told:
                await write(HealthCheckResponse(status=now))
                told = now
            else:
                await changed.wait()
        raise ModelUnavailable("the server is shutting down: watch another", retry_after_ms=RETRY_MS)

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
