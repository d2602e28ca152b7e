"""The synchronous client."""

import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import grpc

from wronglung.alignment import Alignment
from wronglung.client.access import Access, Metadata, Tls
from wronglung.client.item import AlignItem, Image, encoded
from wronglung.client.resend import Answer, stream
from wronglung.client.transport import Attempts, Retry, open_channel_to
from wronglung.v1 import alignment_pb2 as pb
from wronglung.v1 import alignment_pb2_grpc as pb_grpc
from wronglung.wire import alignment_from_response


class AlignmentClient:
    """The synchronous client. Safe to share between threads.

    Args:
        target: address of the gateway; by default $WRONGLUNG_TARGET, else 127.0.0.1:8500. ``dns:///name:port``
            spreads calls over all addresses of the name.
        timeout_s: deadline of a unary call, tries included, in seconds.
        tls: encrypt, and check who the server is; without it the connection is plaintext.
        token_file: file of a bearer token, read for every call, and once more when a stream hears that its token is
            not good any more. Without TLS it is sent to this machine only.
        credentials: gRPC's own, instead of `tls`.
        token: the token itself, instead of `token_file`.
        retry: how to treat what may succeed later.
        channel: use this channel (it is not closed by the client) instead of opening one to `target`.

    For the default target, what is not given of `tls` and `token_file` comes from the environment, see
    `wronglung.client.access`.

    Raises:
        OSError: a file cannot be read.
        ValueError: arguments contradict each other, or a token would travel in the clear.
    """

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
        channel: grpc.Channel | None = None,
    ) -> None:
        self._timeout_s = timeout_s
        self._retry = retry or Retry()
        access = Access(target, tls, credentials, token_file, token)
        if channel is None:  # who brings a channel says what goes over it: no token of the environment does
            access = access.resolved()
        self._metadata = access.metadata()
        self._own_channel = open_channel_to(access) if channel is None else None
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

        def open_call(requests: Iterator[pb.AlignRequest], metadata: Metadata) -> Any:
            return self._stub.AlignStream(requests, metadata=metadata)

        return stream(open_call, self._metadata, items, window=window, retry=self._retry)

    def _call(self, method: Any, request: Any) -> Any:
        """One unary call, tried again within its deadline where that may help."""
        attempts = Attempts(self._timeout_s, self._retry)
        while True:
            try:
                return method(request, timeout=attempts.left_s, metadata=self._metadata())
            except grpc.RpcError as broken:
                pause_s = attempts.pause_s(broken)
            time.sleep(pause_s)
