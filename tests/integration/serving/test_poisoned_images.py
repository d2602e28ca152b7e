"""Odd, damaged and lying images at the real server: each has its right answer or typed error, and disturbs none."""

from collections.abc import Iterator

import numpy as np
import pytest

from tests.poisoned_images import PIXELS, REFUSED, RIGHT, saved, turned
from tests.serving import Instance
from wronglung import wire
from wronglung.alignment import Alignment
from wronglung.client import AlignmentClient
from wronglung.v1 import alignment_pb2 as pb

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore::UserWarning")]  # of pydicom, when it writes

SENTENCES = ["There is a small right pleural effusion.", "The left lung is clear."]
MODEL = "encoder"


@pytest.fixture(scope="module")
def answers(server: Instance) -> dict[str, pb.AlignStreamResponse]:
    """Of every image in one stream, each between two good ones, by request id."""
    workers = server.workers
    with server.stub() as stub:
        found = {each.request_id: each for each in stub.AlignStream(_all(), timeout=240)}
    assert server.workers == workers
    return found


def _all() -> Iterator[pb.AlignRequest]:
    images = {name: make() for name, (make, _) in [*RIGHT.items(), *REFUSED.items()]}
    for number, (name, image) in enumerate(images.items()):
        yield _request(f"good {number}", saved("PNG"))
        yield _request(name, image)
    yield _request("last", saved("PNG"))


def _request(request_id: str, image: bytes) -> pb.AlignRequest:
    return pb.AlignRequest(request_id=request_id, model_name=MODEL, image=image, sentences=SENTENCES)


def test_every_one_is_answered(answers: dict[str, pb.AlignStreamResponse]) -> None:
    assert answers.keys() == {each.request_id for each in _all()}


def test_the_good_ones_beside_them_keep_every_bit(answers: dict[str, pb.AlignStreamResponse]) -> None:
    good = [each.response for name, each in answers.items() if name.startswith("good") or name == "last"]
    assert len(good) == len(RIGHT) + len(REFUSED) + 1
    assert {b"".join(result.SerializeToString(deterministic=True) for result in each.results) for each in good} == {
        b"".join(result.SerializeToString(deterministic=True) for result in good[0].results)
    }
    assert all(result.HasField("alignment") for result in good[0].results)


@pytest.mark.parametrize("name", RIGHT)
def test_an_odd_image_is_answered_in_its_own_size(name: str, answers: dict[str, pb.AlignStreamResponse]) -> None:
    alignment = wire.alignment_from_response(answers[name].response)
    assert alignment.errors == (None, None)
    assert (alignment.frame.image_width, alignment.frame.image_height) == RIGHT[name][1]
    np.testing.assert_allclose(alignment.maps.sum((1, 2)) + alignment.opt_out, 1, rtol=1e-5)


@pytest.mark.parametrize("name", REFUSED)
def test_a_poisoned_image_is_refused_by_its_own_error(name: str, answers: dict[str, pb.AlignStreamResponse]) -> None:
    error = answers[name].error
    assert pb.ErrorCode.Name(error.code) == f"ERROR_CODE_IMAGE_{REFUSED[name][1]}"
    assert error.field == "image"
    assert "Secret" not in error.message  # the patient of every DICOM file here


@pytest.mark.parametrize(
    ("odd", "plain"),
    [
        (turned("PNG", 6), saved("PNG")),
        (saved("JPEG", progressive=True), saved("JPEG")),
        (saved("PNG", mode="P"), saved("PNG")),
        (saved("PNG", np.stack([PIXELS] * 3, axis=2)), saved("PNG")),
    ],
    ids=["turned", "progressive", "palette", "colour without colour"],
)
def test_two_ways_to_store_the_same_picture_have_the_same_maps(server: Instance, odd: bytes, plain: bytes) -> None:
    maps = [_align(server, image).maps for image in (odd, plain)]
    np.testing.assert_array_equal(*maps)


def _align(server: Instance, image: bytes) -> Alignment:
    with AlignmentClient(server.target) as client:
        return client.align(image, SENTENCES, model=MODEL)
