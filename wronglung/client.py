"""The client: numpy in, numpy out."""

import os
import queue
import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import grpc
from google.rpc import status_pb2

from wronglung.alignment import Alignment
from wronglung.errors import DeadlineExceeded, InvalidRequest, ModelUnavailable, WronglungError
from wronglung.limits import LIMITS
from wronglung.v1 import alignment_pb2 as pb
from wronglung.v1 import alignment_pb2_grpc as pb_grpc
from wronglung.wire import alignment_from_response, error_from_pb, validate_request

DEFAULT_TARGET = "127.0.0.1:8500"
_OPTIONS = [
    ("grpc.max_send_message_length", LIMITS.message_bytes),
    ("grpc.max_receive_message_length", LIMITS.answer_bytes + 1024 * 1024),
]


@dataclass(frozen=True, slots=True)
class AlignItem:
    """One image with its sentences, as it is streamed. `request_id` is unique on the stream."""

    request_id: str
    image: bytes
    sentences: Sequence[str]
    model: str = "encoder"
    version: str = ""
    word_maps: bool = False

    def to_pb(self) -> pb.AlignRequest:
        """Write the request.

        Raises:
            InvalidRequest: it passes a limit of the contract.
        """
        request = pb.AlignRequest(
            request_id=self.request_id,
            model_name=self.model,
            model_version=self.version,
            image=self.image,
            sentences=self.sentences,
            options=pb.AlignOptions(word_maps=self.word_maps),
        )
        validate_request(request)
        return request


def error_from_call(call: grpc.RpcError) -> WronglungError:
    """The typed error that a failed call carries, or the nearest one by its status."""
    for key, value in call.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                message = pb.Error()
                if detail.Unpack(message):
                    return error_from_pb(message)
    if call.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return DeadlineExceeded("no answer within the deadline: allow more time, or send less at once")
    if call.code() is grpc.StatusCode.UNAVAILABLE:
        return ModelUnavailable(f"no server answers ({call.details()}): start one with `wronglung serve`")
    return WronglungError(f"the call failed with {call.code().name}: {call.details()}")


class AlignmentClient:
    """A synchronous client.

    Args:
        target: address of the gateway; by default $WRONGLUNG_TARGET, else 127.0.0.1:8500.
        timeout_s: deadline of a unary call, in seconds.
    """

    def __init__(self, target: str | None = None, *, timeout_s: float = 60.0) -> None:
        self._timeout_s = timeout_s
        target = target or os.environ.get("WRONGLUNG_TARGET", DEFAULT_TARGET)
        self._channel = grpc.insecure_channel(target, options=_OPTIONS)
        self._stub = pb_grpc.AlignmentServiceStub(self._channel)

    def __enter__(self) -> "AlignmentClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def align(
        self,
        image: bytes | Path,
        sentences: Sequence[str],
        *,
        model: str = "encoder",
        version: str = "",
        word_maps: bool = False,
    ) -> Alignment:
        """Align the sentences with one encoded image.

        Raises:
            WronglungError: nothing could be computed; a sentence that failed alone is in the answer.
        """
        data = image.read_bytes() if isinstance(image, Path) else image
        request = AlignItem(uuid.uuid4().hex, data, sentences, model, version, word_maps).to_pb()
        try:
            return alignment_from_response(self._stub.Align(request, timeout=self._timeout_s))
        except grpc.RpcError as error:
            raise error_from_call(error) from error

    def models(self) -> list[pb.Model]:
        """The models that are served."""
        try:
            return list(self._stub.ListModels(pb.ListModelsRequest(), timeout=self._timeout_s).models)
        except grpc.RpcError as error:
            raise error_from_call(error) from error

    def stream(
        self, items: Iterable[AlignItem], *, window: int = 16
    ) -> Iterator[tuple[str, Alignment | WronglungError]]:
        """Send the items, at most `window` at a time; yield (request id, answer) in the order in which they come."""
        room = threading.Semaphore(window)
        refused: queue.SimpleQueue[tuple[str, WronglungError]] = queue.SimpleQueue()

        def requests() -> Iterator[pb.AlignRequest]:
            for item in items:
                room.acquire()
                try:
                    yield item.to_pb()
                except InvalidRequest as error:
                    room.release()
                    refused.put((item.request_id, error))

        try:
            for answer in self._stub.AlignStream(requests()):
                room.release()
                while not refused.empty():
                    yield refused.get()
                if answer.WhichOneof("outcome") == "response":
                    yield answer.request_id, alignment_from_response(answer.response)
                else:
                    yield answer.request_id, error_from_pb(answer.error)
        except grpc.RpcError as error:
            raise error_from_call(error) from error
        while not refused.empty():
            yield refused.get()
