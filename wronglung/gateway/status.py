"""Errors as gRPC statuses: the `Error` of the contract, and advice when to retry, in google.rpc.Status details."""

from typing import Any, NoReturn

import grpc
import grpc.aio
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from wronglung import wire
from wronglung.errors import WronglungError

DETAILS_KEY = "grpc-status-details-bin"


def status_of(error: WronglungError) -> Status:
    """The status of a unary call that fails with this error."""
    status = Status(code=_code(error).value[0], message=str(error))
    _attach(status, wire.error_to_pb(error))
    if error.retry_after_ms:
        delay = Duration()
        delay.FromMilliseconds(error.retry_after_ms)
        _attach(status, RetryInfo(retry_delay=delay))
    return status


async def abort(context: "grpc.aio.ServicerContext[Any, Any]", error: WronglungError) -> NoReturn:
    """End a call with this error."""
    trailer = (DETAILS_KEY, status_of(error).SerializeToString())
    await context.abort(_code(error), str(error), trailing_metadata=(trailer,))
    raise AssertionError("abort returned")


def _code(error: WronglungError) -> grpc.StatusCode:
    return grpc.StatusCode[error.grpc_status]


def _attach(status: Status, detail: Any) -> None:
    packed = AnyMessage()
    packed.Pack(detail)
    status.details.append(packed)
