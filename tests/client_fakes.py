"""A gRPC server in this process whose behaviour each test scripts."""

from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc
import numpy as np
from grpc_status import rpc_status

from wronglung import errors
from wronglung.alignment import Alignment, ModelIdentity
from wronglung.client import AlignItem, AlignmentClient, Retry
from wronglung.gateway.status import DETAILS_KEY, status_of
from wronglung.geometry import letterbox
from wronglung.v1 import alignment_pb2 as pb
from wronglung.v1 import alignment_pb2_grpc as pb_grpc
from wronglung.wire import response_from_alignment

FAST = Retry(attempts=3, first_wait_s=0.01, longest_wait_s=0.02)


def answer(request: pb.AlignRequest) -> pb.AlignResponse:
    """Maps that depend on nothing but the number of sentences."""
    count = len(request.sentences)
    alignment = Alignment(
        maps=np.full((count, 2, 2), 0.25, np.float32),
        opt_out=np.zeros(count, np.float32),
        local_similarity=np.zeros(count, np.float32),
        global_similarity=np.zeros(count, np.float32),
        words=(("[CLS]",),) * count,
        truncated=np.zeros(count, np.bool_),
        errors=(None,) * count,
        frame=letterbox(10, 10),
        model=ModelIdentity(request.model_name, "1.0", "ab" * 32),
    )
    return response_from_alignment(alignment, request.request_id)


def abort(context: grpc.ServicerContext, error: errors.WronglungError) -> None:
    """End a call as the gateway does."""
    context.abort_with_status(rpc_status.to_status(status_of(error, request_id="")))


class Refused(grpc.RpcError):
    """A failed call as a client sees it that the gateway ended by this error."""

    def __init__(self, error: errors.WronglungError) -> None:
        super().__init__(error.message)
        self._code, self._details = grpc.StatusCode[error.grpc_status], error.message
        self._trailers = ((DETAILS_KEY, status_of(error, request_id="").SerializeToString()),)

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return self._details

    def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:
        return self._trailers


class Service(pb_grpc.AlignmentServiceServicer):
    """Answers well, but for the first `trouble` calls, which it hands to `misbehave`."""

    def __init__(self, trouble: int = 0, misbehave: Callable[[grpc.ServicerContext], None] | None = None) -> None:
        self.calls, self.metadata = 0, {}
        self._trouble, self._misbehave = trouble, misbehave
        self.streamed: list[str] = []

    def _begin(self, context: grpc.ServicerContext) -> None:
        self.calls += 1
        self.metadata = dict(context.invocation_metadata())
        if self.calls <= self._trouble and self._misbehave is not None:
            self._misbehave(context)

    def Align(self, request: pb.AlignRequest, context: grpc.ServicerContext) -> pb.AlignResponse:
        self._begin(context)
        return answer(request)

    def AlignStream(self, requests: Iterator[pb.AlignRequest], context: Any) -> Iterator[pb.AlignStreamResponse]:
        self.calls += 1
        for index, request in enumerate(requests):
            if self.calls <= self._trouble and index == 2 and self._misbehave is not None:
                self._misbehave(context)
                return
            self.streamed.append(request.request_id)
            yield pb.AlignStreamResponse(request_id=request.request_id, response=answer(request))

    def ListModels(self, request: pb.ListModelsRequest, context: grpc.ServicerContext) -> pb.ListModelsResponse:
        self._begin(context)
        return pb.ListModelsResponse(models=[pb.Model(identity=pb.ModelIdentity(name="encoder"))])


@contextmanager
def serving(service: Service) -> Iterator[str]:
    server = grpc.server(futures.ThreadPoolExecutor(4))
    pb_grpc.add_AlignmentServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(0).wait()


@contextmanager
def client_of(service: Service, **options: Any) -> Iterator[AlignmentClient]:
    with serving(service) as target, AlignmentClient(target, retry=FAST, **options) as client:
        yield client


def items(count: int) -> list[AlignItem]:
    """Good items r0, r1, …"""
    return [AlignItem(f"r{index}", b"image", ["an opacity"]) for index in range(count)]


def unavailable(context: grpc.ServicerContext) -> None:
    """End a call as a server does that is going away."""
    context.abort(grpc.StatusCode.UNAVAILABLE, "draining")
