"""Health as one caller may see it: a model that does not exist for a caller has no health either."""

from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2

from wronglung.errors import Overloaded, RequestInvalid, WronglungError
from wronglung.gateway.call import Call
from wronglung.gateway.questions import Questions, Readers, read_question
from wronglung.gateway.received import Received
from wronglung.gateway.security.callers import Caller
from wronglung.gateway.shares import Places
from wronglung.gateway.status import abort
from wronglung.served import VERSION_MARK

HEALTH_SERVICE: str = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
_RETRY_MS = 1000
_UNKNOWN = "\0"
"""A service that nobody can have set: it is asked for in the place of what must not be seen."""


class HealthGuard:
    """grpc.health.v1 over the servicer that holds the statuses. `List` stays unimplemented: it would name all models.

    Args:
        inner: holds the statuses.
        prefix: what comes before a model's label in a service's name.
        who: tells who makes the call of a context; raises Unauthenticated.
        watches: how many watches there may be at once.
        checks: how many other questions may be on their way at once.
        readers: where messages are read.
    """

    def __init__(
        self, inner: Any, prefix: str, who: Callable[[Any], Caller], watches: int, checks: int, readers: Readers
    ) -> None:
        self._inner = inner
        self._prefix = prefix
        self._who = who
        self._watches = Places(watches, _full)
        self._checks = Questions(checks, readers)
        self._readers = readers

    def handler(self) -> "grpc.GenericRpcHandler[bytes, health_pb2.HealthCheckResponse]":
        """The methods as gRPC registers them: their messages are iterators, see `questions`."""
        write = health_pb2.HealthCheckResponse.SerializeToString
        methods = {
            "Check": grpc.stream_unary_rpc_method_handler(self.check, response_serializer=write),
            "Watch": grpc.stream_stream_rpc_method_handler(self.watch, response_serializer=write),
        }
        return grpc.method_handlers_generic_handler(HEALTH_SERVICE, methods)

    async def check(self, _messages: object, context: Any) -> Any:
        """The status of a service."""
        call = Call.of(context, "other")
        try:
            call.caller = self._who(context).name
            request = _parsed(await self._checks.read(Received(context), call.party))
            seen = self._exists(request.service, context)
        except WronglungError as error:
            await abort(context, error, call.call_id)
        return await self._inner.Check(request if seen else health_pb2.HealthCheckRequest(service=_UNKNOWN), context)

    async def watch(self, _messages: object, context: Any) -> None:
        """The status of a service, and again whenever it changes, for as long as the caller may see it."""
        call = Call.of(context, "other")
        try:
            call.caller = self._who(context).name
            with self._watches.one(call.party):
                request = _parsed(await read_question(Received(context), self._readers, call.party))
                await self._inner.Watch(request, _Watch(context, lambda: self._exists(request.service, context)))
        except WronglungError as error:
            await abort(context, error, call.call_id)

    def _exists(self, service: str, context: Any) -> bool:
        """Whether a service exists for a caller, who must be known in any case."""
        caller = self._who(context)
        name, _, _ = service.removeprefix(self._prefix).partition(VERSION_MARK)
        return not service.startswith(self._prefix) or caller.sees(name)


class _Watch:
    """The context of a watch: looks before each answer whether the caller may have it, and says nothing twice.

    What must not be seen would otherwise be told of by how often it is said to be unknown.
    """

    def __init__(self, context: Any, exists: Callable[[], bool]) -> None:
        self._context = context
        self._exists = exists
        self._told: health_pb2.HealthCheckResponse | None = None

    async def write(self, response: health_pb2.HealthCheckResponse) -> None:
        """Answer, unless that is what was answered last."""
        unknown = health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVICE_UNKNOWN)
        answer = response if self._exists() else unknown
        if answer != self._told:
            self._told = answer
            await self._context.write(answer)


def _full() -> Overloaded:
    return Overloaded(
        "too many watch the health of this server: use Check, or try again later", retry_after_ms=_RETRY_MS
    )


def _parsed(body: bytes) -> health_pb2.HealthCheckRequest:
    try:
        return health_pb2.HealthCheckRequest.FromString(body)
    except DecodeError:
        raise RequestInvalid("the message is no HealthCheckRequest") from None
