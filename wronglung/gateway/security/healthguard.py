"""Health as one caller may see it: a model that does not exist for a caller has no health either."""

from collections.abc import Callable
from typing import Any

from grpc_health.v1 import health_pb2, health_pb2_grpc

Sees = Callable[[str, Any], bool]
"""Whether a model, by name, exists for whoever makes the call of this context."""
_UNKNOWN = "\0"
"""A service that nobody can have set: it is asked for in the place of what must not be seen."""


class HealthGuard(health_pb2_grpc.HealthServicer):  # type: ignore[misc]
    """grpc.health.v1 over the servicer that holds the statuses. `List` stays unimplemented: it would name all models.

    Args:
        inner: holds the statuses.
        prefix: what comes before a model's name in a service's.
        sees: which models exist for whom.
    """

    def __init__(self, inner: Any, prefix: str, sees: Sees) -> None:
        self._inner = inner
        self._prefix = prefix
        self._sees = sees

    async def Check(self, request: health_pb2.HealthCheckRequest, context: Any) -> Any:
        """The status of a service."""
        return await self._inner.Check(self._seen(request, context), context)

    async def Watch(self, request: health_pb2.HealthCheckRequest, context: Any) -> None:
        """The status of a service, and again whenever it changes."""
        await self._inner.Watch(self._seen(request, context), context)

    def _seen(self, request: health_pb2.HealthCheckRequest, context: Any) -> health_pb2.HealthCheckRequest:
        name = request.service
        if name.startswith(self._prefix) and not self._sees(name.removeprefix(self._prefix), context):
            return health_pb2.HealthCheckRequest(service=_UNKNOWN)
        return request
