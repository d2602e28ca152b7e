"""The client: an encoded image or numpy in, numpy out; synchronous and for asyncio.

with AlignmentClient("127.0.0.1:8500") as client:
    alignment = client.align("chest.png", ["Opacity in the right lower lobe."])
"""

import asyncio
import io
import os
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import grpc
import numpy as np
import numpy.typing as npt

from wronglung.alignment import Alignment
from wronglung.errors import WronglungError
from wronglung.resend import Answer, stream
from wronglung.transport import Retry, call_metadata, error_from_call, open_aio_channel, open_channel
from wronglung.v1 import alignment_pb2 as pb
from wronglung.v1 import alignment_pb2_grpc as pb_grpc
from wronglung.wire import alignment_from_response, validate_request

DEFAULT_TARGET = "127.0.0.1:8500"

Image = bytes | str | Path | npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
Result = TypeVar("Result")

__all__ = ["DEFAULT_TARGET", "AlignItem", "AlignmentClient", "AsyncAlignmentClient", "Retry", "encoded"]


@dataclass(frozen=True, slots=True)
class AlignItem:
    """One encoded image with its sentences, as it is streamed. `request_id` is unique among the items in flight."""

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


def encoded(image: Image) -> bytes:
    """The bytes to send: as they are, of a file, or an H × W array of uint8 or uint16 as PNG.

    Raises:
        OSError: the file cannot be read.
        ValueError: the array has another shape or type.
    """
    if isinstance(image, bytes):
        return image
    if isinstance(image, (str, Path)):
        return Path(image).read_bytes()
    if image.ndim != 2 or image.size == 0 or image.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"expected a grey H x W array of uint8 or uint16, got {image.dtype} of shape {image.shape}")
    from PIL import Image as Pillow

    file = io.BytesIO()
    Pillow.fromarray(image).save(file, "PNG", compress_level=1)
    return file.getvalue()


def _target(target: str | None) -> str:
    return target or os.environ.get("WRONGLUNG_TARGET") or DEFAULT_TARGET


class AlignmentClient:
    """The synchronous client. Safe to share between threads.

    Args:
        target: address of the gateway; by default $WRONGLUNG_TARGET, else 127.0.0.1:8500. ``dns:///name:port``
            spreads calls over all addresses of the name.
        timeout_s: deadline of a unary call, tries included, in seconds.
        credentials: for TLS; without them the connection is plaintext.
        token: a bearer token.
        retry: how to treat what may succeed later.
        channel: use this channel (it is not closed by the client) instead of opening one to `target`.
    """

    def __init__(
        self,
        target: str | None = None,
        *,
        timeout_s: float = 60.0,
        credentials: grpc.ChannelCredentials | None = None,
        token: str | None = None,
        retry: Retry | None = None,
        channel: grpc.Channel | None = None,
    ) -> None:
        self._timeout_s = timeout_s
        self._retry = retry or Retry()
        self._metadata = call_metadata(token)
        self._own_channel = open_channel(_target(target), credentials) if channel is None else None
        self._stub: Any = pb_grpc.AlignmentServiceStub(channel or self._own_channel)  # type: ignore[no-untyped-call]

    def __enter__(self) -> "AlignmentClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._own_channel is not None:
            self._own_channel.close()

    def align(
        self,
        image: Image,
        sentences: Sequence[str],
        *,
        model: str = "encoder",
        version: str = "",
        word_maps: bool = False,
    ) -> Alignment:
        """Align the sentences with one image: encoded bytes, the path of a file, or a grey array.

        Raises:
            WronglungError: nothing could be computed. A sentence that failed alone has its error in the answer.
            OSError, ValueError: the image cannot be read or is no grey array.
        """
        request = AlignItem(uuid.uuid4().hex, encoded(image), sentences, model, version, word_maps).to_pb()
        return alignment_from_response(self._call(self._stub.Align, request))

    def models(self) -> list[pb.Model]:
        """The models that are served, ready or not.

        Raises:
            WronglungError: the server cannot be asked.
        """
        return list(self._call(self._stub.ListModels, pb.ListModelsRequest()).models)

    def stream(self, items: Iterable[AlignItem], *, window: int = 16) -> Iterator[Answer]:
        """Send the items, at most `window` at a time; yield (request id, answer) in the order in which answers come.

        `items` is read in another thread. An item that fails is answered by its error; the stream goes on, over a new
        connection if need be, where everything unanswered is sent again.

        Raises:
            WronglungError: the server could not be reached for as many tries as `retry` allows.
        """

        def open_call(requests: Iterator[pb.AlignRequest]) -> Any:
            return self._stub.AlignStream(requests, metadata=self._metadata)

        return stream(open_call, items, window=window, retry=self._retry)

    def _call(self, method: Any, request: Any) -> Any:
        """One unary call, tried again within its deadline where that may help."""
        until, failures = time.monotonic() + self._timeout_s, 0
        while True:
            try:
                return method(request, timeout=max(until - time.monotonic(), 0.0), metadata=self._metadata)
            except grpc.RpcError as broken:
                error, failures = error_from_call(broken), failures + 1
                wait_s = self._retry.wait_s(failures, error)
                if not self._retry.allows(failures, error) or time.monotonic() + wait_s >= until:
                    raise error from broken
            time.sleep(wait_s)


class AsyncAlignmentClient:
    """The client for asyncio; arguments as for `AlignmentClient`."""

    def __init__(
        self,
        target: str | None = None,
        *,
        timeout_s: float = 60.0,
        credentials: grpc.ChannelCredentials | None = None,
        token: str | None = None,
        retry: Retry | None = None,
    ) -> None:
        self._timeout_s = timeout_s
        self._retry = retry or Retry()
        self._metadata = call_metadata(token)
        self._channel = open_aio_channel(_target(target), credentials)
        self._stub: Any = pb_grpc.AlignmentServiceStub(self._channel)  # type: ignore[no-untyped-call]

    async def __aenter__(self) -> "AsyncAlignmentClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection."""
        await self._channel.close(None)

    async def align(
        self,
        image: Image,
        sentences: Sequence[str],
        *,
        model: str = "encoder",
        version: str = "",
        word_maps: bool = False,
    ) -> Alignment:
        """See `AlignmentClient.align`."""
        data = await asyncio.to_thread(encoded, image)
        request = AlignItem(uuid.uuid4().hex, data, sentences, model, version, word_maps).to_pb()
        return alignment_from_response(await self._call(self._stub.Align, request))

    async def models(self) -> list[pb.Model]:
        """See `AlignmentClient.models`."""
        return list((await self._call(self._stub.ListModels, pb.ListModelsRequest())).models)

    async def stream(self, items: Iterable[AlignItem], *, window: int = 16) -> AsyncIterator[Answer]:
        """Like `AlignmentClient.stream`, as concurrent calls of `Align`, at most `window` at a time.

        Every item is retried by itself, so a lost connection costs only what was in flight.
        """
        source, running = iter(items), set[asyncio.Task[Answer]]()
        try:
            while True:
                while len(running) < window and (item := next(source, None)) is not None:
                    running.add(asyncio.create_task(self._answer(item)))
                if not running:
                    return
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield task.result()
        finally:
            for task in running:
                task.cancel()

    async def _answer(self, item: AlignItem) -> Answer:
        try:
            return item.request_id, alignment_from_response(await self._call(self._stub.Align, item.to_pb()))
        except WronglungError as error:
            return item.request_id, error

    async def _call(self, method: Callable[..., Any], request: Any) -> Any:
        until, failures = time.monotonic() + self._timeout_s, 0
        while True:
            try:
                return await method(request, timeout=max(until - time.monotonic(), 0.0), metadata=self._metadata)
            except grpc.aio.AioRpcError as broken:
                error, failures = error_from_call(broken), failures + 1
                wait_s = self._retry.wait_s(failures, error)
                if not self._retry.allows(failures, error) or time.monotonic() + wait_s >= until:
                    raise error from broken
            await asyncio.sleep(wait_s)
