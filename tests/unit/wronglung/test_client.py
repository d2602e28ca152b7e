"""Specification of the synchronous client, against a gRPC server in this process."""

import io
import itertools
import subprocess
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from google.rpc import status_pb2
from PIL import Image

from tests import needs
from tests.client_fakes import FAST, Refused, Service, abort, client_of, items, serving, unavailable
from wronglung import errors
from wronglung.alignment import Alignment
from wronglung.client import AlignItem, AlignmentClient, Retry, encoded
from wronglung.client.transport import Attempts, channel_options
from wronglung.v1 import alignment_pb2 as pb
from wronglung.v1 import alignment_pb2_grpc as pb_grpc


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


def test_details_that_make_no_sense_leave_the_status_to_go_by() -> None:
    status = status_pb2.Status(code=9)
    status.details.add(type_url="type.googleapis.com/wronglung.v1.Error", value=b"\xff\xff")
    trailers = (("grpc-status-details-bin", status.SerializeToString()),)

    def spoil(context: Any) -> None:
        context.set_trailing_metadata(trailers)
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "a proxy's")

    with client_of(Service(9, spoil)) as client, pytest.raises(errors.InternalError, match="FAILED_PRECONDITION"):
        client.align(b"image", ["one"])


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


def turned_away(context: Any) -> None:
    """As the gateway refuses: it says when there will be room."""
    abort(context, errors.Overloaded("full", retry_after_ms=5))


def test_who_is_told_when_to_come_again_comes_until_there_is_room() -> None:
    service = Service(3 * FAST.attempts, turned_away)
    with client_of(service) as client:
        assert client.align(b"image", ["one"]).maps.shape == (1, 2, 2)
    assert service.calls == 3 * FAST.attempts + 1


def test_who_is_told_when_to_come_again_comes_until_the_deadline() -> None:
    service, began_s = Service(10**6, turned_away), time.monotonic()
    with client_of(service, timeout_s=1.0) as client, pytest.raises(errors.Overloaded):
        client.align(b"image", ["one"])
    assert service.calls > FAST.attempts
    assert time.monotonic() - began_s > 0.9


@pytest.mark.parametrize(
    ("advice_ms", "told"),
    [(700, errors.Overloaded), (5, errors.DeadlineExceeded)],
    ids=["little time: the server was full", "most of the time: it came late"],
)
def test_a_last_try_that_is_not_answered_is_told_by_the_time_it_had(
    advice_ms: int, told: type[errors.WronglungError]
) -> None:
    release, tries = threading.Event(), itertools.count()

    def full_and_then_slow(context: Any) -> None:
        if next(tries) == 0:
            abort(context, errors.Overloaded("full", retry_after_ms=advice_ms))
        release.wait(5)

    with client_of(Service(2, full_and_then_slow), timeout_s=1.0) as client:
        with pytest.raises(told):
            client.align(b"image", ["one"])
        release.set()


def test_waits_stay_finite_however_often_a_server_turns_away() -> None:
    told = errors.Overloaded("full", retry_after_ms=5)
    assert FAST.wait_s(5000, told) <= 0.005 + FAST.longest_wait_s


def test_who_is_told_again_and_again_comes_after_its_time_and_later_each_time() -> None:
    """Else a server that is full once is kept full by those who come back."""
    attempts = Attempts(60.0, Retry(first_wait_s=0.2, longest_wait_s=5.0))
    told = Refused(errors.Overloaded("full", retry_after_ms=300))
    waits = [attempts.pause_s(told) for _ in range(50)]
    assert all(0.3 <= wait <= 7.5 for wait in waits)
    assert waits[0] <= 0.4
    assert max(waits) > 2.5


def test_who_wants_one_try_makes_one() -> None:
    service = Service(99, turned_away)
    with (
        serving(service) as target,
        AlignmentClient(target, retry=Retry(attempts=1)) as client,
        pytest.raises(errors.Overloaded),
    ):
        client.align(b"image", ["one"])
    assert service.calls == 1


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


def test_an_item_that_is_no_request_is_raised_with_its_cause() -> None:
    no_bytes: Any = 17
    with client_of(Service()) as client, pytest.raises(TypeError):
        list(client.stream([*items(2), AlignItem("bad", no_bytes, ["one"])]))


def test_nothing_is_kept_of_items_that_pass_a_limit() -> None:
    """A data set of images that are all too large must not fill the memory."""

    class Watched(str):
        """A sentence that weak references can be made to."""

    kept: weakref.WeakSet[Watched] = weakref.WeakSet()
    most = 0

    def source() -> Iterator[AlignItem]:
        nonlocal most
        for index in range(200):
            sentence = Watched("an opacity")
            kept.add(sentence)
            most = max(most, len(kept))
            yield AlignItem(f"r{index}", b"", [sentence])

    with client_of(Service()) as client:
        answers = dict(client.stream(source(), window=3))
    assert len(answers) == 200
    assert all(isinstance(each, errors.ImageEmpty) for each in answers.values())
    assert most < 20


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


def test_a_channel_can_be_brought_and_stays_open() -> None:
    with serving(Service()) as target, grpc.insecure_channel(target) as channel:
        for _ in range(2):
            with AlignmentClient("unused:1", channel=channel) as client:
                assert client.align(b"image", ["one"]).maps.shape == (1, 2, 2)


def test_a_server_of_another_kind_is_named_as_such() -> None:
    server = grpc.server(futures.ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with AlignmentClient(f"127.0.0.1:{port}") as client, pytest.raises(errors.InternalError, match="target"):
        client.models()
    server.stop(0).wait()


def test_a_status_whose_details_make_no_sense_is_read_by_its_code() -> None:
    def misbehave(context: Any) -> None:
        context.set_trailing_metadata((("grpc-status-details-bin", b"\xff\xff"),))
        context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you")

    with client_of(Service(9, misbehave)) as client, pytest.raises(errors.Unauthenticated, match="token"):
        client.models()


def test_an_answer_that_contradicts_itself_fails_alone() -> None:
    class Confused(Service):
        def AlignStream(self, requests: Iterator[pb.AlignRequest], context: Any) -> Iterator[pb.AlignStreamResponse]:
            for message in super().AlignStream(requests, context):
                if message.request_id == "r1":
                    message.response.results[0].alignment.map.values = b"1"
                yield message

    with client_of(Confused()) as client:
        answers = dict(client.stream(items(3)))
    assert isinstance(answers.pop("r1"), errors.InternalError)
    assert all(isinstance(each, Alignment) for each in answers.values())


def test_the_target_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Service()) as target:
        monkeypatch.setenv("WRONGLUNG_TARGET", target)
        with AlignmentClient() as client:
            assert len(client.models()) == 1


@pytest.mark.parametrize(
    ("target", "proxy"),
    [
        ("127.0.0.1:8500", 0),
        ("localhost:8500", 0),
        ("[::1]:8500", 0),
        ("dns:///localhost:8500", 0),
        ("ipv4:127.0.0.1:8500", 0),
        ("server:8500", 1),
        ("dns:///wronglung-server:8500", 1),
        ("localhost.example:8500", 1),
    ],
)
def test_only_a_server_elsewhere_may_be_behind_a_proxy(target: str, proxy: int) -> None:
    assert dict(channel_options(target))["grpc.enable_http_proxy"] == proxy


def test_a_proxy_that_the_environment_names_is_not_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    with client_of(Service()) as client:
        assert len(client.models()) == 1


def test_a_server_that_comes_late_is_found_soon() -> None:
    """Left to itself, gRPC waits longer after each failure, up to two minutes."""
    assert dict(channel_options("server:1"))["grpc.max_reconnect_backoff_ms"] <= 5_000


def test_a_message_too_large_for_what_is_on_its_way_is_not_taken_for_a_full_server() -> None:
    """The server in these tests has gRPC's usual limit of 4 MiB, as many a proxy has."""
    service = Service()
    with client_of(service) as client, pytest.raises(errors.RequestInvalid, match="larger than max"):
        client.align(bytes(5 << 20), ["one"])
    assert service.calls == 0


def test_waits_grow_vary_and_obey_the_server() -> None:
    retry = Retry(attempts=9, first_wait_s=1.0, longest_wait_s=4.0)
    error = errors.Overloaded("full")
    for failures, longest in [(1, 1.0), (2, 2.0), (3, 4.0), (8, 4.0)]:
        waits = [retry.wait_s(failures, error) for _ in range(50)]
        assert all(longest / 2 <= wait <= longest for wait in waits)
        assert len(set(waits)) > 1
    told = [retry.wait_s(1, errors.Overloaded("full", retry_after_ms=9000)) for _ in range(50)]
    assert all(9.0 <= wait <= 9.5 for wait in told)
    assert len(set(told)) > 1  # those who were refused together do not come back together


def test_a_secured_server_is_reached_with_credentials(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([needs.tool("openssl"), *request, *names], check=True, capture_output=True)
    server = grpc.server(futures.ThreadPoolExecutor(2))
    pb_grpc.add_AlignmentServiceServicer_to_server(Service(), server)
    pair = (key.read_bytes(), certificate.read_bytes())
    port = server.add_secure_port("localhost:0", grpc.ssl_server_credentials([pair]))
    server.start()
    trust = grpc.ssl_channel_credentials(certificate.read_bytes())
    with AlignmentClient(f"localhost:{port}", credentials=trust) as client:
        assert client.align(b"image", ["one"]).maps.shape == (1, 2, 2)
    server.stop(0).wait()
