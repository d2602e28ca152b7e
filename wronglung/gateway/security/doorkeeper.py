"""Refuses callers before anything of their messages is read, whatever method they call."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import grpc.aio

from wronglung.errors import Unauthenticated
from wronglung.gateway.accounting import answering
from wronglung.gateway.call import Call, Context
from wronglung.gateway.health import SERVICE
from wronglung.gateway.metrics import Metrics
from wronglung.gateway.security.callers import Callers
from wronglung.tracing import Untraced

_METHODS = {f"/{SERVICE}/{name}": name for name in ("Align", "AlignStream", "ListModels")}
_OTHER = "other"
"""Stands for every other method in the log: callers write all sorts of things there."""


class Doorkeeper(grpc.aio.ServerInterceptor):  # type: ignore[type-arg] # not generic when run
    """Stands before every service of a port: alignments, health, reflection.

    Args:
        callers: tells who calls.
        metrics: where the refused are counted.
    """

    def __init__(self, callers: Callers, metrics: Metrics) -> None:
        self._callers = callers
        self._metrics = metrics

    async def intercept_service(
        self,
        continuation: "Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any]]]",
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "grpc.RpcMethodHandler[Any, Any]":
        """Let the call go on to its method, or to a method that only refuses it."""
        try:
            self._callers.by_token(handler_call_details.invocation_metadata or ())
        except Unauthenticated as error:
            return self._refusal(_METHODS.get(handler_call_details.method, _OTHER), error)
        return await continuation(handler_call_details)

    def _refusal(self, method: str, error: Unauthenticated) -> "grpc.RpcMethodHandler[Any, Any]":
        """Of the streaming kind: gRPC would read the message of any other, up to its limit, before calling it."""

        # Audited, but without a span: nobody who is not known shall fill the collector.
        async def refuse(_messages: AsyncIterator[bytes], context: Context) -> None:
            self._metrics.refused_callers.inc()
            async with answering(Call.of(context, method), context, Untraced()):
                raise error

        return grpc.stream_stream_rpc_method_handler(refuse)
