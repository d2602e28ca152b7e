"""What the real server answers: the same as the model in this process, under the standard services."""

import io
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from PIL import Image

from tests.serving import Instance
from wronglung import images, wire
from wronglung.model import load_model
from wronglung.v1 import alignment_pb2 as pb
from wronglung.v1.alignment_pb2_grpc import AlignmentServiceStub

pytestmark = pytest.mark.integration

SENTENCES = [
    "There is a small right pleural effusion.",
    "The heart is not enlarged.",
    "",
    "There is a small right pleural effusion.",
    "word " * 300,
]


@pytest.fixture(scope="module")
def stub(server: Instance) -> Iterator[AlignmentServiceStub]:
    with server.stub() as stub:
        yield stub


def encoded(kind: str, width: int = 300, height: int = 400, seed: int = 0) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize("model", ["encoder", "encoder-optout"])
@pytest.mark.parametrize("word_maps", [False, True], ids=["sentence maps", "word maps"])
def test_served_floats_are_those_of_the_model_in_this_process(
    server: Instance, stub: Any, model: str, word_maps: bool
) -> None:
    image = encoded("JPEG", 333, 250)
    sentences = SENTENCES[:4] if word_maps else SENTENCES
    request = pb.AlignRequest(
        model_name=model, image=image, sentences=sentences, options=pb.AlignOptions(word_maps=word_maps)
    )
    served = wire.alignment_from_response(stub.Align(request, timeout=60))
    (local,) = load_model(server.store / model).align([images.decode(image)], [sentences], word_maps=word_maps)
    for name in ("maps", "opt_out", "local_similarity", "global_similarity", "truncated"):
        np.testing.assert_array_equal(getattr(served, name), getattr(local, name), strict=True)
    assert (served.words, served.frame, served.model) == (local.words, local.frame, local.model)
    assert [type(error) for error in served.errors] == [type(error) for error in local.errors]
    assert served.deterministic
    if word_maps:
        assert served.word_maps is not None
        assert local.word_maps is not None
        for ours, theirs in zip(served.word_maps, local.word_maps, strict=True):
            np.testing.assert_array_equal(ours.reshape(theirs.shape), theirs)


def test_an_answer_does_not_depend_on_what_else_is_served(stub: Any) -> None:
    request = pb.AlignRequest(request_id="probe", model_name="encoder", image=encoded("PNG"), sentences=SENTENCES[:2])
    alone = stub.Align(request, timeout=60)
    others = [
        pb.AlignRequest(request_id=f"o{i}", model_name="encoder", image=encoded("PNG", seed=i), sentences=SENTENCES)
        for i in range(12)
    ]
    crowd = [*others[:6], request, *others[6:]]
    answers = {each.request_id: each for each in stub.AlignStream(iter(crowd), timeout=120)}
    assert answers["probe"].response.SerializeToString(deterministic=True) == alone.SerializeToString(
        deterministic=True
    )


@pytest.mark.parametrize("service", ["", "wronglung.v1.AlignmentService", "wronglung.v1.AlignmentService/encoder"])
def test_health_is_serving(server: Instance, service: str) -> None:
    with grpc.insecure_channel(server.target) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        assert check(health_pb2.HealthCheckRequest(service=service)).status == health_pb2.HealthCheckResponse.SERVING


def test_reflection_hands_out_the_contract(server: Instance) -> None:
    with grpc.insecure_channel(server.target) as channel:
        info = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo
        asked = [reflection_pb2.ServerReflectionRequest(file_containing_symbol="wronglung.v1.AlignmentService")]
        (reply,) = info(iter(asked))
        assert any(b"AlignStream" in each for each in reply.file_descriptor_response.file_descriptor_proto)


def test_list_models_says_what_the_models_themselves_say(server: Instance, stub: Any) -> None:
    listed = stub.ListModels(pb.ListModelsRequest()).models
    assert [each.identity.name for each in listed] == sorted(server.models)
    for each in listed:
        model = load_model(server.store / each.identity.name)
        assert wire.identity_from_pb(each.identity) == model.identity()
        assert each.ready
        assert each.has_opt_out == model.has_opt_out
        assert (each.grid_rows, each.grid_cols) == model.grid
        assert (each.frame_width, each.frame_height) == model.frame_size
        assert each.max_word_pieces == model.max_word_pieces


def test_the_page_of_metrics_shows_the_gateway_and_the_handler(server: Instance, stub: Any) -> None:
    stub.Align(pb.AlignRequest(model_name="encoder", image=encoded("PNG"), sentences=SENTENCES[:1]), timeout=60)
    page = urllib.request.urlopen(server.metrics_url, timeout=10).read().decode()
    assert 'wronglung_requests_total{code="OK",method="Align",model="encoder"}' in page
    for name in ("decode_seconds", "inference_seconds", "encode_seconds", "batch_size"):
        assert f'wronglung_handler_{name}_count{{ModelName="encoder"' in page
    assert 'wronglung_handler_memory_bytes{ModelName="encoder"' in page


def figure(url: str, name: str, *labels: str) -> float:
    """The value of one series on the page of metrics; 0 while it is not there."""
    page = urllib.request.urlopen(url, timeout=10).read().decode()
    lines = [line for line in page.splitlines() if line.startswith(name + "{") and all(each in line for each in labels)]
    return float(lines[0].split()[-1]) if lines else 0.0


def test_the_page_of_metrics_counts_what_the_caches_saved(server: Instance, stub: Any) -> None:
    labels = ('ModelName="encoder"', 'Cache="image"')
    hits, misses = "wronglung_handler_cache_hits_total", "wronglung_handler_cache_misses_total"
    before = {name: figure(server.metrics_url, name, *labels) for name in (hits, misses)}
    image = encoded("PNG", seed=77)
    request = pb.AlignRequest(request_id="again", model_name="encoder", image=image, sentences=SENTENCES[:1])
    answers = [stub.Align(request, timeout=60).SerializeToString(deterministic=True) for _ in range(2)]
    assert answers[0] == answers[1]

    def risen() -> bool:  # the handler's lines reach TorchServe's page a moment after the answer
        return all(figure(server.metrics_url, name, *labels) > before[name] for name in (hits, misses))

    deadline = time.monotonic() + 10
    while not risen() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert risen()
    assert figure(server.metrics_url, "wronglung_handler_cache_bytes", *labels) > 0


def test_a_stream_without_end_is_answered_while_it_is_being_sent(stub: Any) -> None:
    """Back-pressure: far more is sent than may be in flight, and nothing is refused."""
    image = encoded("PNG", 64, 64)

    def items() -> Iterator[pb.AlignRequest]:
        for index in range(300):
            model = ("encoder", "encoder-optout")[index % 2]
            yield pb.AlignRequest(request_id=str(index), model_name=model, image=image, sentences=SENTENCES[:2])

    outcomes = [each.WhichOneof("outcome") for each in stub.AlignStream(items(), timeout=240)]
    assert outcomes == ["response"] * 300


def test_too_many_unary_calls_are_refused_with_advice_and_never_break(stub: Any) -> None:
    request = pb.AlignRequest(model_name="encoder", image=encoded("JPEG", 900, 900), sentences=SENTENCES)
    calls = [stub.Align.future(request, timeout=120) for _ in range(60)]
    codes = {call.code() for call in calls}
    assert codes <= {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert grpc.StatusCode.OK in codes
    assert grpc.StatusCode.RESOURCE_EXHAUSTED in codes


def test_a_deadline_in_the_past_of_the_queue_does_not_hold_up_the_worker(stub: Any) -> None:
    slow = pb.AlignRequest(model_name="encoder", image=encoded("JPEG", 900, 900), sentences=SENTENCES)
    hopeless = [stub.Align.future(slow, timeout=0.001) for _ in range(4)]
    assert {call.code() for call in hopeless} <= {grpc.StatusCode.DEADLINE_EXCEEDED}
    assert len(stub.Align(slow, timeout=60).results) == len(SENTENCES)
