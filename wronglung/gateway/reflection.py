"""Server reflection that ends when it is told to: a stream that is left open must not hold up a stop."""

import asyncio
from collections.abc import AsyncIterator, Collection
from typing import Any

import grpc.aio
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc

from wronglung.errors import RETRY_MS, Overloaded, WronglungError
from wronglung.gateway.call import Call
from wronglung.gateway.received import Received
from wronglung.gateway.security.callers import Callers
from wronglung.gateway.shares import Places
from wronglung.gateway.status import abort
from wronglung.gateway.until import until

_MOST = 8
"""Each may send a message as long as the port lets in, before it is known to be none."""


class Reflection(reflection.aio.ReflectionServicer):  # type: ignore[misc, name-defined]
    """Tells of services.

    Args:
        services: their full names.
        ended: set when no more is to be read.
        callers: tells who calls.
    """

    def __init__(self, services: Collection[str], ended: asyncio.Event, callers: Callers) -> None:
        super().__init__([*services, reflection.SERVICE_NAME])
        self._ended = ended
        self._callers = callers
        self._places = Places(_MOST, _full)

    async def ServerReflectionInfo(
        self, _requests: object, context: Any
    ) -> AsyncIterator[reflection_pb2.ServerReflectionResponse]:
        """Answer each question."""
        call = Call.of(context, "other")
        try:
            call.caller = self._callers.of(context).name
            with self._places.one(call.party):
                async for answer in super().ServerReflectionInfo(until(self._ended, Received(context)), context):
                    yield answer
        except WronglungError as error:
            await abort(context, error, call.call_id)

    def add_to(self, server: grpc.aio.Server) -> None:
        """Have a server offer it."""
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(self, server)


def _full() -> Overloaded:
    return Overloaded("too much is asked of what is served here: try again later", retry_after_ms=RETRY_MS)
