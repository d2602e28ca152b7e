"""grpc.health.v1 as one caller may see it: a model that does not exist for a caller has no health either.

Nor has it a part in that of the whole, which would tell when it fails.
"""

from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2

from wronglung.errors import RETRY_MS, Overloaded, RequestInvalid, WronglungError
from wronglung.gateway.board import HealthBoard, Status
from wronglung.gateway.call import Call
from wronglung.gateway.questions import Questions, Readers, read_question
from wronglung.gateway.received import Received
from wronglung.gateway.security.callers import Caller
from wronglung.gateway.shares import Places
from wronglung.gateway.status import abort
from wronglung.served import VERSION_MARK

HEALTH_SERVICE: str = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
_UNKNOWN: Status = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


class HealthGuard:
    """grpc.health.v1 over the board that holds the statuses. `List` stays unimplemented: it would name all models.

    Args:
        board: holds the statuses.
        prefix: what comes before a model's label in a service's name; before its last "/" it names the whole, as
            does nothing at all.
        who: tells who makes the call of a context; raises Unauthenticated.
        watches: how many watches there may be at once.
        checks: how many other questions may be on their way at once.
        readers: where messages are read.
        one_whole: the whole is that of all models for everybody, not of those that the caller may use.
    """

    def __init__(
        self,
        board: HealthBoard,
        prefix: str,
        who: Callable[[Any], Caller],
        watches: int,
        checks: int,
        readers: Readers,
        *,
        one_whole: bool = False,
    ) -> None:
        self._board = board
        self._prefix = prefix
        self._wholes = ("", prefix.removesuffix("/"))
        self._one_whole = one_whole
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
            status = self._status(request.service, context)
        except WronglungError as error:
            await abort(context, error, call.call_id)
        if status == _UNKNOWN:
            await context.abort(grpc.StatusCode.NOT_FOUND)
        return health_pb2.HealthCheckResponse(status=status)

    async def watch(self, _messages: object, context: Any) -> None:
        """The status of a service, and again whenever it changes, for as long as the caller may see it."""
        call = Call.of(context, "other")
        try:
            call.caller = self._who(context).name
            with self._watches.one(call.party):
                request = _parsed(await read_question(Received(context), self._readers, call.party))
                await self._board.follow(lambda: self._status(request.service, context), context.write)
        except WronglungError as error:
            await abort(context, error, call.call_id)

    def _status(self, service: str, context: Any) -> Status:
        """What a caller, who must be known in any case, may know of a service."""
        caller = self._who(context)
        if service in self._wholes:
            return self._board.of_all(lambda each: self._one_whole or self._exists(each, caller))
        return self._board.of(service) if self._exists(service, caller) else _UNKNOWN

    def _exists(self, service: str, caller: Caller) -> bool:
        name, _, _ = service.removeprefix(self._prefix).partition(VERSION_MARK)
        return service.startswith(self._prefix) and caller.sees(name)


def _full() -> Overloaded:
    return Overloaded(
        "too many watch the health of this server: use Check, or try again later", retry_after_ms=RETRY_MS
    )


def _parsed(body: bytes) -> health_pb2.HealthCheckRequest:
    try:
        return health_pb2.HealthCheckRequest.FromString(body)
    except DecodeError:
        raise RequestInvalid("the message is no HealthCheckRequest") from None
