"""Specification of the clients, against a gRPC server in this process whose behaviour each test scripts."""

import io
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc
import numpy as np
import pytest
from google.protobuf import any_pb2
from google.rpc import status_pb2
from grpc_status import rpc_status
from PIL import Image

from wronglung import errors
from wronglung.alignment import Alignment, ModelIdentity
from wronglung.client import AlignItem, AlignmentClient, AsyncAlignmentClient, Retry, encoded
from wronglung.geometry import letterbox
from wronglung.v1 import alignment_pb2 as pb
from wronglung.v1 import alignment_pb2_grpc as pb_grpc
from wronglung.wire import error_to_pb, response_from_alignment

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
    detail = any_pb2.Any()
    detail.Pack(error_to_pb(error))
    code = grpc.StatusCode[error.grpc_status]
    status = status_pb2.Status(code=code.value[0], message=error.message, details=[detail])
    context.abort_with_status(rpc_status.to_status(status))


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
    return [AlignItem(f"r{index}", b"image", ["an opacity"]) for index in range(count)]


def unavailable(context: grpc.ServicerContext) -> None:
    context.abort(grpc.StatusCode.UNAVAILABLE, "draining")


def test_an_image_and_sentences_become_arrays() -> None:
    with client_of(Service()) as client:
        result = client.align(b"image", ["one", "two"], model="encoder-optout")
    assert result.maps.shape == (2, 2, 2)
    assert result.model.name == "encoder-optout"


def test_a_typed_error_comes_out_of_the_status() -> None:
    trouble = errors.ImageCorrupt("cut off", field="image")
    with (
        client_of(Service(9, lambda context: abort(context, trouble))) as client,
        pytest.raises(errors.ImageCorrupt) as e,
    ):
        client.align(b"image", ["one"])
    assert (e.value.message, e.value.field) == ("cut off", "image")


def test_what_repeating_cannot_mend_is_not_repeated() -> None:
    service = Service(9, lambda context: abort(context, errors.ModelUnknown("no such model")))
    with client_of(service) as client, pytest.raises(errors.ModelUnknown):
        client.align(b"image", ["one"])
    assert service.calls == 1


@pytest.mark.parametrize("error", [errors.Overloaded("full", retry_after_ms=5), errors.ModelUnavailable("loading")])
def test_what_may_succeed_later_is_tried_again(error: errors.WronglungError) -> None:
    service = Service(2, lambda context: abort(context, error))
    with client_of(service) as client:
        assert client.align(b"image", ["one"]).maps.shape == (1, 2, 2)
    assert service.calls == 3


def test_patience_ends() -> None:
    service = Service(99, lambda context: abort(context, errors.Overloaded("full")))
    with client_of(service) as client, pytest.raises(errors.Overloaded):
        client.align(b"image", ["one"])
    assert service.calls == FAST.attempts


def test_a_limit_is_held_before_anything_is_sent() -> None:
    service = Service()
    with client_of(service) as client, pytest.raises(errors.SentencesTooMany):
        client.align(b"image", ["one"] * 257)
    assert service.calls == 0


def test_a_call_ends_at_its_deadline() -> None:
    release = threading.Event()
    service = Service(1, lambda context: release.wait(5))
    with client_of(service, timeout_s=0.2) as client:
        with pytest.raises(errors.DeadlineExceeded):
            client.align(b"image", ["one"])
        release.set()


def test_no_server_is_said_in_words_that_help() -> None:
    with (
        AlignmentClient("127.0.0.1:1", retry=Retry(attempts=1)) as client,
        pytest.raises(errors.ModelUnavailable, match="wronglung serve"),
    ):
        client.models()


def test_a_token_travels_as_a_bearer() -> None:
    service = Service()
    with client_of(service, token="secret") as client:
        client.models()
    assert service.metadata["authorization"] == "Bearer secret"


def test_a_stream_answers_every_item() -> None:
    with client_of(Service()) as client:
        answers = dict(client.stream(items(40), window=4))
    assert set(answers) == {f"r{index}" for index in range(40)}
    assert all(isinstance(each, Alignment) for each in answers.values())


def test_an_item_that_passes_a_limit_fails_alone() -> None:
    bad = AlignItem("bad", b"", ["one"])
    with client_of(Service()) as client:
        answers = dict(client.stream([*items(3), bad], window=2))
    assert isinstance(answers.pop("bad"), errors.ImageEmpty)
    assert len(answers) == 3


@pytest.mark.parametrize("misbehave", [unavailable, lambda context: None], ids=["broken", "ended early"])
def test_what_a_lost_connection_left_unanswered_is_sent_again(misbehave: Callable[[Any], None]) -> None:
    service = Service(2, misbehave)
    with client_of(service) as client:
        answers = list(client.stream(items(20), window=4))
    assert sorted(key for key, _ in answers) == sorted(f"r{index}" for index in range(20))
    assert service.calls == 3


def test_a_stream_gives_up_when_no_connection_gets_anywhere() -> None:
    with (
        AlignmentClient("127.0.0.1:1", retry=FAST) as client,
        pytest.raises(errors.ModelUnavailable),
    ):
        list(client.stream(items(3)))


def test_what_the_source_raises_reaches_the_caller() -> None:
    def source() -> Iterator[AlignItem]:
        yield items(1)[0]
        raise OSError("disk")

    with client_of(Service()) as client, pytest.raises(OSError, match="disk"):
        list(client.stream(source()))


def test_an_id_twice_in_flight_is_refused() -> None:
    with client_of(Service()) as client, pytest.raises(errors.RequestInvalid, match="in flight"):
        list(client.stream([items(1)[0]] * 50, window=50))


def test_memory_is_bounded_by_the_window() -> None:
    drawn = 0

    def source() -> Iterator[AlignItem]:
        nonlocal drawn
        for item in items(100):
            drawn += 1
            yield item

    with client_of(Service()) as client:
        for done, _ in enumerate(client.stream(source(), window=3)):
            assert drawn <= done + 1 + 2 * 3


def test_a_stream_may_be_left_in_the_middle() -> None:
    with client_of(Service()) as client:
        stream = client.stream(items(100), window=2)
        next(stream)
        stream.close()
        assert len(dict(client.stream(items(5)))) == 5


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_an_array_is_sent_as_png_without_loss(dtype: type) -> None:
    pixels = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (5, 7)).astype(dtype)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(encoded(pixels)))).astype(dtype), pixels)


@pytest.mark.parametrize("array", [np.zeros((2, 2)), np.zeros((2, 2, 3), np.uint8), np.zeros((0, 2), np.uint8)])
def test_an_array_that_is_no_grey_image_is_refused(array: Any) -> None:
    with pytest.raises(ValueError, match="grey"):
        encoded(array)


async def test_the_asyncio_client_does_the_same() -> None:
    service = Service(1, unavailable)
    with serving(service) as target:
        async with AsyncAlignmentClient(target, retry=FAST) as client:
            assert (await client.align(b"image", ["one"])).maps.shape == (1, 2, 2)
            assert [model.identity.name for model in await client.models()] == ["encoder"]
            bad = AlignItem("bad", b"", ["one"])
            answers = {key: value async for key, value in client.stream([*items(9), bad], window=3)}
    assert isinstance(answers["bad"], errors.ImageEmpty)
    assert len(answers) == 10
