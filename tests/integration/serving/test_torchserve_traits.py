"""What TorchServe 0.12 does wrong, and that it does no harm here: the real TorchServe, called past the gateway."""

import io
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from PIL import Image

from tests.serving import Instance
from wronglung.envelope import CONTEXT_ENTRY, REQUEST_ENTRY, RequestContext
from wronglung.errors import InternalError, ModelUnavailable, Overloaded
from wronglung.gateway.upstream import typed_error
from wronglung.torchserve.inference_pb2 import PredictionResponse, PredictionsRequest
from wronglung.v1 import alignment_pb2 as pb

pytestmark = pytest.mark.integration

SERVICE = "/org.pytorch.serve.grpc.inference.InferenceAPIsService"


def envelope(model: str = "encoder", *, version: str = "", image: bytes | None = None, request_id: str = "a") -> Any:
    buffer = io.BytesIO()
    Image.new("L", (64, 64), 90).save(buffer, "PNG")
    body = pb.AlignRequest(model_name=model, image=image or buffer.getvalue(), sentences=["There is an effusion."])
    entries = {REQUEST_ENTRY: body.SerializeToString(), CONTEXT_ENTRY: RequestContext(request_id).to_bytes()}
    return PredictionsRequest(model_name=model, model_version=version, input=entries)


def settings(server: Instance) -> dict[str, str]:
    lines = Path(server.java.cwd(), "config.properties").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


@pytest.fixture(scope="module")
def channel(server: Instance) -> Iterator[grpc.Channel]:
    target = f"127.0.0.1:{settings(server)['grpc_inference_port']}"
    with grpc.insecure_channel(target, options=[("grpc.max_send_message_length", -1)]) as channel:
        yield channel


@pytest.fixture
def predict(channel: grpc.Channel) -> Any:
    return channel.unary_unary(
        f"{SERVICE}/Predictions", PredictionsRequest.SerializeToString, PredictionResponse.FromString
    )


@pytest.fixture(autouse=True)
def workers_stay(server: Instance) -> Iterator[None]:
    """None of this may cost a worker."""
    before = server.workers
    yield
    assert server.workers == before


@contextmanager
def frozen(processes: Iterable[psutil.Process]) -> Iterator[None]:
    """They do nothing while the block lasts."""
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


def failure(predict: Any, request: Any) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as caught:
        predict(request, timeout=60)
    return caught.value


def test_a_streaming_call_is_answered_and_kills_no_worker(channel: grpc.Channel) -> None:
    call = channel.unary_stream(
        f"{SERVICE}/StreamPredictions", PredictionsRequest.SerializeToString, PredictionResponse.FromString
    )
    (answer,) = call(envelope(), timeout=60)
    assert pb.AlignStreamResponse.FromString(answer.prediction).HasField("response")


def test_a_broken_image_fails_alone_in_its_batch(predict: Any) -> None:
    calls = [
        predict.future(envelope(image=b"text" if i == 3 else None, request_id=str(i)), timeout=60) for i in range(8)
    ]
    answers = [pb.AlignStreamResponse.FromString(call.result().prediction) for call in calls]
    assert [each.request_id for each in answers] == [str(i) for i in range(8)]
    assert [each.WhichOneof("outcome") for each in answers] == ["error" if i == 3 else "response" for i in range(8)]


def test_an_answer_over_the_limit_is_an_error_of_its_request_and_costs_no_worker(predict: Any) -> None:
    """The gateway would have refused it by what it asks for; 8 MiB of it would have killed the worker."""
    large = envelope()
    body = pb.AlignRequest.FromString(large.input[REQUEST_ENTRY])
    body.sentences[:] = ["effusion " * 200] * 256
    body.options.word_maps = True
    large.input[REQUEST_ENTRY] = body.SerializeToString()
    answer = pb.AlignStreamResponse.FromString(predict(large, timeout=60).prediction)
    assert answer.error.code == pb.ERROR_CODE_ANSWER_TOO_LARGE


@pytest.mark.parametrize("request_", [envelope("other"), envelope(version="9.9")], ids=["model", "version"])
def test_what_it_does_not_know_it_calls_internal_and_we_call_unavailable(predict: Any, request_: Any) -> None:
    error: Any = failure(predict, request_)
    assert error.code() is grpc.StatusCode.INTERNAL
    assert isinstance(typed_error(error.code(), error.details(), "a"), ModelUnavailable)


def test_a_full_queue_it_calls_internal_and_we_call_overloaded(server: Instance, predict: Any) -> None:
    with frozen(server.workers):  # they would keep up with a slow machine that sends
        calls = [predict.future(envelope(), timeout=120) for _ in range(400)]
        refused = threading.Event()
        for call in calls:
            call.add_done_callback(lambda _: refused.set())
        assert refused.wait(60)
    failed = [call for call in calls if call.exception() is not None]
    assert failed
    assert {call.code() for call in failed} == {grpc.StatusCode.INTERNAL}
    assert {type(typed_error(call.code(), call.details(), "a")) for call in failed} == {Overloaded}


def test_a_message_over_its_limit_is_cut_off_and_hurts_nobody_else(server: Instance, predict: Any) -> None:
    too_long = bytes(int(settings(server)["max_request_size"]))
    error: Any = failure(predict, envelope(image=too_long))
    assert isinstance(typed_error(error.code(), error.details(), "a"), InternalError)
    assert predict(envelope(), timeout=60).prediction


@pytest.mark.skipif(not psutil.LINUX, reason="reads the sockets of processes as Linux shows them")
def test_nothing_listens_beyond_this_machine(server: Instance) -> None:
    listening = {
        connection.laddr.ip
        for process in [
            psutil.Process(server.process.pid),
            *psutil.Process(server.process.pid).children(recursive=True),
        ]
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening <= {"127.0.0.1", "::ffff:127.0.0.1"}
    assert listening
