"""Errors as gRPC statuses: the `Error` of the contract first, and what google.rpc has to say of it for any client.

`docs/errors.md` lists which details come with which error.
"""

from collections.abc import Iterator
from typing import Any, NoReturn

import grpc
import grpc.aio
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RequestInfo, RetryInfo
from google.rpc.status_pb2 import Status

from wronglung import wire
from wronglung.errors import InvalidRequest, WronglungError

DETAILS_KEY = "grpc-status-details-bin"
DOMAIN = "wronglung.v1"
"""The domain of every `ErrorInfo.reason`."""
_LONGEST_MESSAGE = 1000
"""Bytes in UTF-8: a status travels in HTTP/2 trailers, of which many peers take no more than 8 KiB."""


def status_of(error: WronglungError, request_id: str) -> Status:
    """The status of a unary call that fails with this error."""
    status = Status(code=_code(error).value[0], message=_message(error))
    for detail in _details(error, request_id):
        packed = AnyMessage()
        packed.Pack(detail)
        status.details.append(packed)
    return status


async def abort(context: "grpc.aio.ServicerContext[Any, Any]", error: WronglungError, request_id: str) -> NoReturn:
    """End a call with this error."""
    trailer = (DETAILS_KEY, status_of(error, request_id).SerializeToString())
    await context.abort(_code(error), _message(error), trailing_metadata=(trailer,))
    raise AssertionError("abort returned")


def _details(error: WronglungError, request_id: str) -> Iterator[Any]:
    contract = wire.error_to_pb(error)
    contract.message = _cut(contract.message)
    yield contract
    yield ErrorInfo(reason=error.code.removeprefix("ERROR_CODE_"), domain=DOMAIN)
    if isinstance(error, InvalidRequest):
        violation = BadRequest.FieldViolation(field=error.field, description=_cut(error.message))
        yield BadRequest(field_violations=[violation])
    if error.retry_after_ms:
        delay = Duration()
        delay.FromMilliseconds(error.retry_after_ms)
        yield RetryInfo(retry_delay=delay)
    if request_id:
        yield RequestInfo(request_id=request_id)


def _code(error: WronglungError) -> grpc.StatusCode:
    return grpc.StatusCode[error.grpc_status]


def _message(error: WronglungError) -> str:
    return _cut(str(error))


def _cut(text: str) -> str:
    encoded = text.encode()
    return text if len(encoded) <= _LONGEST_MESSAGE else encoded[:_LONGEST_MESSAGE].decode(errors="ignore") + "…"
