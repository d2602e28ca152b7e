"""The client for asyncio."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import grpc
import grpc.aio

from wronglung.alignment import Alignment
from wronglung.client.access import Access, Tls
from wronglung.client.item import AlignItem, Image, encoded
from wronglung.client.resend import Answer
from wronglung.client.transport import Attempts, Retry, open_aio_channel_to, patiently
from wronglung.errors import Overloaded, WronglungError
from wronglung.v1 import alignment_pb2 as pb
from wronglung.v1 import alignment_pb2_grpc as pb_grpc
from wronglung.wire import alignment_from_response


class AsyncAlignmentClient:
    """The client for asyncio; arguments as for `AlignmentClient`, `channel` being one of `grpc.aio`."""

    def __init__(
        self,
        target: str | None = None,
        *,
        timeout_s: float = 60.0,
        tls: Tls | None = None,
        token_file: str | Path | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        token: str | None = None,
        retry: Retry | None = None,
        channel: grpc.aio.Channel | None = None,
    ) -> None:
        self._timeout_s = timeout_s
        self._retry = retry or Retry()
        access = Access(target, tls, credentials, token_file, token)
        if channel is None:  # who brings a channel says what goes over it: no token of the environment does
            access = access.resolved()
        self._metadata = access.metadata()
        self._own_channel = open_aio_channel_to(access) if channel is None else None
        self._stub: Any = pb_grpc.AlignmentServiceStub(channel or self._own_channel)  # type: ignore[no-untyped-call]

    async def __aenter__(self) -> "AsyncAlignmentClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection."""
        if self._own_channel is not None:
            await self._own_channel.close(None)

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

        `items` is read in other threads, one item at a time. Every item is retried by itself, so a lost connection
        costs only what was in flight; while the server is full, items wait.

        Raises:
            ValueError: `window` is below 1.
        """
        if window < 1:
            raise ValueError(f"window must be at least 1, got {window}")
        draw = partial(asyncio.to_thread, next, iter(items), None)
        running, drawing, exhausted = set[asyncio.Task[Answer]](), set[asyncio.Task[AlignItem | None]](), False
        try:
            while True:
                if not (drawing or exhausted) and len(running) < window:
                    drawing = {asyncio.create_task(draw())}
                if not (running or drawing):
                    return
                # Answers must not wait for the next item: it may take long to come, or depend on them.
                await asyncio.wait([*running, *drawing], return_when=asyncio.FIRST_COMPLETED)
                for drawn in [task for task in drawing if task.done()]:
                    drawing.remove(drawn)
                    if (item := drawn.result()) is None:
                        exhausted = True
                    else:
                        running.add(asyncio.create_task(self._answer(item)))
                for answered in [task for task in running if task.done()]:
                    running.remove(answered)
                    yield answered.result()
        finally:
            for task in (*running, *drawing):
                task.cancel()

    async def _answer(self, item: AlignItem) -> Answer:
        while True:
            try:
                return item.request_id, alignment_from_response(await self._call(self._stub.Align, item.to_pb()))
            except Overloaded as error:  # a stream waits its turn
                await asyncio.sleep(max(self._retry.longest_wait_s, error.retry_after_ms / 1000))
            except WronglungError as error:
                return item.request_id, error

    async def _call(self, method: Callable[..., Any], request: Any) -> Any:
        attempts = Attempts(self._timeout_s, self._retry)
        return await patiently(attempts, lambda left_s: method(request, timeout=left_s, metadata=self._metadata()))
