"""What both clients need to know of gRPC: channels, deadlines, retries, and the typed error in a failed call."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from google.rpc import status_pb2

from wronglung.address import is_on_this_machine
from wronglung.client.access import Access
from wronglung.errors import (
    DeadlineExceeded,
    InternalError,
    ModelUnavailable,
    Overloaded,
    RequestInvalid,
    Unauthenticated,
    WronglungError,
)
from wronglung.limits import LIMITS
from wronglung.v1 import alignment_pb2 as pb
from wronglung.wire import error_from_pb

T = TypeVar("T")
_DETAILS = "grpc-status-details-bin"
_SERVICE_CONFIG = '{"loadBalancingConfig": [{"round_robin": {}}]}'
_ANSWER_OVERHEAD = 1024 * 1024
_MOST_DOUBLINGS = 30
"""Of a wait: no more are needed to reach the longest one, and two to the thousandth is no float."""

_OPTIONS: Sequence[tuple[str, Any]] = (
    ("grpc.max_send_message_length", LIMITS.message_bytes),
    ("grpc.max_receive_message_length", LIMITS.answer_bytes + _ANSWER_OVERHEAD),
    # A server that vanished without a word is noticed within a minute and a half, while calls are open.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 30_000),
    # A server that is being started or replaced is noticed soon; by itself gRPC would come to wait for two minutes.
    ("grpc.initial_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    ("grpc.service_config", _SERVICE_CONFIG),  # with a dns:/// target, calls are spread over all replicas
)


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how patiently to try again what may succeed later."""

    attempts: int = 4
    """Tries in all, at least 1. Of a unary call, those that a full server turned away and told when to come again do
    not count, as long as the wait fits into the deadline. With 1 a unary call is never sent again."""
    first_wait_s: float = 0.2
    """Before the second try; doubles with each one after it."""
    longest_wait_s: float = 5.0
    """The wait does not grow beyond this. A server that advises more is obeyed, and up to half of this is added, more
    with each time: callers who came just then kept a full server full for minutes (docs/decisions/0123)."""

    def wait_s(self, failures: int, error: WronglungError) -> float:
        """Seconds to wait after the given number of failures in a row: at random, so that callers spread out, those
        too whom the server gave the same advice: it refused them together.
        """
        half = min(self.first_wait_s * 2.0 ** min(failures - 1, _MOST_DOUBLINGS), self.longest_wait_s) / 2
        return max(error.retry_after_ms / 1000, half) + random.uniform(0, half)

    def allows(self, failures: int, error: WronglungError) -> bool:
        """Whether to try again after this error, the given number of failures in a row."""
        return error.retryable and failures < self.attempts


def _gives_a_turn(error: WronglungError) -> bool:
    """Whether a full server said when there will be room."""
    return isinstance(error, Overloaded) and error.retry_after_ms > 0


class Attempts:
    """The tries of one unary call within its deadline.

    Args:
        timeout_s: the deadline of all tries together, in seconds from now.
        retry: how often and how patiently to try.
    """

    def __init__(self, timeout_s: float, retry: Retry) -> None:
        self._timeout_s = timeout_s
        self._try_began_s = time.monotonic()
        self._until = self._try_began_s + timeout_s
        self._retry = retry
        self._failures = 0
        self._turns = 0
        self._turned_away: WronglungError | None = None

    @property
    def left_s(self) -> float:
        """Seconds until the deadline, 0 if it has passed."""
        return max(self._until - time.monotonic(), 0.0)

    def pause_s(self, broken: grpc.RpcError) -> float:
        """Seconds to wait before the try after one that broke.

        Raises:
            WronglungError: there is to be no other: the error of the broken one; where its deadline passed and most of
                the time had gone into being turned away, that of the full server.
        """
        error = error_from_call(broken)
        if isinstance(error, DeadlineExceeded) and self._turned_away is not None and self._was_short():
            raise self._turned_away from broken
        if _gives_a_turn(error) and self._retry.attempts > 1:
            self._turned_away = error
            self._turns += 1
        else:
            self._failures += 1
        wait_s = self._retry.wait_s(self._failures + self._turns, error)
        if not self._retry.allows(self._failures, error) or wait_s >= self.left_s:
            raise error from broken
        self._try_began_s = time.monotonic() + wait_s
        return wait_s

    def _was_short(self) -> bool:
        """Whether the last try had less than half of the time."""
        return time.monotonic() - self._try_began_s < self._timeout_s / 2


async def patiently(
    attempts: Attempts,
    send: Callable[[float], Awaitable[T]],
    broke: Callable[[grpc.aio.AioRpcError], None] = lambda _: None,
) -> T:
    """Send a unary call until it is answered or there is to be no other try.

    Args:
        attempts: its tries.
        send: begins a try that may take so many seconds.
        broke: is told of each try that broke.

    Raises:
        WronglungError: there is to be no other try; its cause is how the last one broke.
    """
    while True:
        try:
            return await send(attempts.left_s)
        except grpc.aio.AioRpcError as broken:
            broke(broken)
            pause_s = attempts.pause_s(broken)
        await asyncio.sleep(pause_s)


def channel_options(target: str, server_name: str = "") -> list[tuple[str, Any]]:
    """gRPC's options for a target: a server on this machine is never looked for behind a proxy. Its certificate must be
    for `server_name` if one is given."""
    named = [("grpc.ssl_target_name_override", server_name)] if server_name else []
    return [*_OPTIONS, *named, ("grpc.enable_http_proxy", 0 if is_on_this_machine(target) else 1)]


def open_channel_to(access: Access) -> grpc.Channel:
    """The channel of a client. Raises as `Access.channel_credentials`."""
    return open_channel(access.target or "", access.channel_credentials(), access.server_name)


def open_aio_channel_to(access: Access) -> grpc.aio.Channel:
    """`open_channel_to` for asyncio."""
    return open_aio_channel(access.target or "", access.channel_credentials(), access.server_name)


def open_channel(target: str, credentials: grpc.ChannelCredentials | None, server_name: str = "") -> grpc.Channel:
    """A channel with the contract's limits; plaintext without credentials."""
    if credentials is None:
        return grpc.insecure_channel(target, options=channel_options(target))
    return grpc.secure_channel(target, credentials, options=channel_options(target, server_name))


def open_aio_channel(
    target: str, credentials: grpc.ChannelCredentials | None, server_name: str = ""
) -> grpc.aio.Channel:
    """`open_channel` for asyncio."""
    if credentials is None:
        return grpc.aio.insecure_channel(target, options=channel_options(target))
    return grpc.aio.secure_channel(target, credentials, options=channel_options(target, server_name))


def error_from_call(call: grpc.RpcError) -> WronglungError:
    """The typed error that a failed call carries, or by its status the nearest one."""
    metadata: Any = call.trailing_metadata() or ()
    for key, value in metadata:
        if key == _DETAILS and (found := _error_in(value)) is not None:
            return found
    return _error_for(call.code(), call.details() or "")


def _error_in(details: bytes) -> WronglungError | None:
    message = pb.Error()
    try:
        status = status_pb2.Status.FromString(details)
        found = any(detail.Unpack(message) for detail in status.details)
    except DecodeError:  # not from our gateway: what else is known of the call must do
        return None
    return error_from_pb(message) if found else None


def _error_for(code: grpc.StatusCode, details: str) -> WronglungError:
    """The error for a status that carries none of ours: from gRPC itself, or from a proxy on the way."""
    match code:
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return DeadlineExceeded("no answer within the deadline: allow more time, or send less at once")
        case grpc.StatusCode.UNAVAILABLE if "handshake" in details or "Verification" in details:  # gRPC's own words
            return ModelUnavailable(
                f"no secure connection comes about ({details}): hold root, names and dates of both sides' certificates "
                "against each other"
            )
        case grpc.StatusCode.CANCELLED:  # not by us: a server that ends, or has too much, cuts off what has just come
            return ModelUnavailable(f"the server cut the call off ({details}): send it again")
        case grpc.StatusCode.UNAVAILABLE:
            return ModelUnavailable(
                f"no server answers ({details}): start one with `wronglung serve`; if one runs there, it may want TLS, "
                "or a client's certificate"
            )
        case grpc.StatusCode.RESOURCE_EXHAUSTED if "larger than max" in details:  # gRPC's own words
            return RequestInvalid(f"a message is too large for what is on its way ({details}): send less at once")
        case grpc.StatusCode.RESOURCE_EXHAUSTED:
            return Overloaded(f"the server is full ({details}): retry later")
        case grpc.StatusCode.UNAUTHENTICATED | grpc.StatusCode.PERMISSION_DENIED:
            return Unauthenticated(f"the server does not let this client in ({details}): check the token")
        case grpc.StatusCode.UNIMPLEMENTED:
            return InternalError(f"what answers there is no wronglung gateway ({details}): check the target")
        case _:
            return InternalError(f"the call failed with {code.name} ({details}): look into the server's log")
