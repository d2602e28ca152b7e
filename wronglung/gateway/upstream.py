"""TorchServe as the gateway sees it. Its many ways to fail become our errors here and nowhere else."""

import asyncio
import logging
from contextlib import suppress
from typing import Any

import grpc
import grpc.aio

from wronglung.envelope import CONTEXT_ENTRY, REQUEST_ENTRY, RequestContext, is_late
from wronglung.errors import RETRY_MS, DeadlineExceeded, InternalError, ModelUnavailable, Overloaded, WronglungError
from wronglung.torchserve.inference_pb2 import PredictionResponse, PredictionsRequest
from wronglung.torchserve.inference_pb2_grpc import InferenceAPIsServiceStub

_PAUSE_S = 0.25
"""Before a call that TorchServe did not take is made again."""
_RECONNECT_S = 1.0
"""Beside the pause, for TorchServe to listen again."""
_log = logging.getLogger(__name__)
_CHANNEL_OPTIONS = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.enable_retries", 0),
    ("grpc.enable_http_proxy", 0),  # it is on this machine: a proxy that the environment names is not for it
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
]


class TorchServeClient:
    """Calls TorchServe's gRPC API on loopback.

    Args:
        target: its address.
    """

    def __init__(self, target: str) -> None:
        self._channel = grpc.aio.insecure_channel(target, options=_CHANNEL_OPTIONS)
        self._stub: Any = InferenceAPIsServiceStub(self._channel)  # type: ignore[no-untyped-call]

    async def predict(
        self, model: str, version: str, request: bytes, context: RequestContext, timeout_s: float
    ) -> bytes:
        """Have a model answer a serialised `AlignRequest`; returns the serialised `AlignStreamResponse`.

        Raises:
            WronglungError: TorchServe did not answer.
        """
        entries = {REQUEST_ENTRY: request, CONTEXT_ENTRY: context.to_bytes()}
        envelope = PredictionsRequest(model_name=model, model_version=version, input=entries)
        try:
            return await self._predict(envelope, context, timeout_s)
        except grpc.aio.AioRpcError as error:
            typed = typed_error(_status_of(error, context), error.details() or "", context.request_id)
            if isinstance(typed, InternalError):
                _log.error("TorchServe failed", extra={"request_id": context.request_id, "details": error.details()})
            raise typed from error

    async def _predict(self, envelope: PredictionsRequest, context: RequestContext, timeout_s: float) -> bytes:
        """One call, and a second one where the first cost no work and there is time."""
        try:
            return await self._predict_once(envelope, timeout_s)
        except grpc.aio.AioRpcError as error:
            if not was_not_taken(error.details() or "") or is_late(context.deadline_monotonic_s, _PAUSE_S):
                raise
        await asyncio.sleep(_PAUSE_S)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._channel.channel_ready(), _RECONNECT_S)
        return await self._predict_once(envelope, timeout_s)

    async def _predict_once(self, envelope: PredictionsRequest, timeout_s: float) -> bytes:
        answer: PredictionResponse = await self._stub.Predictions(envelope, timeout=timeout_s)
        return answer.prediction

    async def close(self) -> None:
        """Close the connection."""
        await self._channel.close(None)


def _status_of(error: grpc.aio.AioRpcError, context: RequestContext) -> grpc.StatusCode:
    """TorchServe's side keeps the deadline too, and resets the stream when it notices a moment before ours does."""
    if error.code() is grpc.StatusCode.CANCELLED and is_late(context.deadline_monotonic_s):
        return grpc.StatusCode.DEADLINE_EXCEEDED
    return error.code()


def typed_error(status: grpc.StatusCode, details: str, request_id: str) -> WronglungError:
    """What a failure of TorchServe means for the caller (TorchServe 0.12).

    It reports as INTERNAL: a full queue and a model without workers (in the same words), a model it does not know,
    and the death of a worker; as RESOURCE_EXHAUSTED a worker killed for want of memory; as UNAVAILABLE an exception
    of the handler, but also, from the gRPC library, that nothing listens.
    """
    if status is grpc.StatusCode.DEADLINE_EXCEEDED:
        return DeadlineExceeded("the deadline passed before the model answered: allow more time, or send less at once")
    if "Prediction failed" in details or "batch response mismatched" in details:
        return InternalError(f"the model's handler failed; the server's log has the details under {request_id!r}")
    if "has no worker to serve" in details:
        return Overloaded("the model's queue is full: try again later", retry_after_ms=RETRY_MS)
    if status in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED) or _names_dead_worker(details):
        return ModelUnavailable("the model is not answering, it is being restarted: try again", retry_after_ms=RETRY_MS)
    return InternalError(f"the inference server failed ({status.name}); look for {request_id!r} in the server's log")


def was_not_taken(details: str) -> bool:
    """Whether TorchServe surely did nothing for a call: nothing listened, or its queue did not take the job."""
    return any(sign in details for sign in ("failed to connect", "Connection refused", "has no worker to serve"))


def _names_dead_worker(details: str) -> bool:
    return any(sign in details for sign in ("Worker died", "Model not found", "does not exist for model"))
