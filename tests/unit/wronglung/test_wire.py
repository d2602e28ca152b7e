"""Specification of the messages: what goes in comes out, limits are held, contradictions are named."""

from dataclasses import replace

import numpy as np
import pytest

from wronglung import errors
from wronglung.alignment import Alignment, ModelIdentity
from wronglung.geometry import letterbox
from wronglung.limits import LIMITS
from wronglung.v1 import alignment_pb2 as pb
from wronglung.wire import (
    alignment_from_response,
    frame_from_pb,
    frame_to_pb,
    response_from_alignment,
    validate_request,
)

NAN = np.float32("nan")


def alignment(word_maps: bool = False) -> Alignment:
    """Two sentences; the second failed."""
    rng = np.random.default_rng(0)
    maps = rng.random((2, 19, 19), dtype=np.float32)
    maps[1] = NAN
    return Alignment(
        maps=maps,
        opt_out=np.array([0.25, NAN], np.float32),
        local_similarity=np.array([1.5, NAN], np.float32),
        global_similarity=np.array([-0.5, NAN], np.float32),
        words=(("[CLS]", "opacity"), ()),
        truncated=np.array([True, False]),
        errors=(None, errors.SentenceEmpty("nothing is left")),
        frame=letterbox(400, 300),
        model=ModelIdentity("encoder", "1.0", "ab" * 32),
        word_maps=(rng.random((2, 19, 19), dtype=np.float32), np.empty((0, 19, 19), np.float32)) if word_maps else None,
    )


def request(**fields: object) -> pb.AlignRequest:
    good = {"request_id": "a", "model_name": "encoder", "image": b"x", "sentences": ["an opacity"]}
    return pb.AlignRequest(**(good | fields))


@pytest.mark.parametrize("word_maps", [False, True])
def test_an_alignment_survives_the_wire(word_maps: bool) -> None:
    sent = alignment(word_maps)
    message = pb.AlignResponse.FromString(response_from_alignment(sent, "id").SerializeToString())
    received = alignment_from_response(message)
    for name in ("maps", "opt_out", "local_similarity", "global_similarity", "truncated"):
        np.testing.assert_array_equal(getattr(received, name), getattr(sent, name), strict=True)
    assert (received.words, received.frame, received.model) == (sent.words, sent.frame, sent.model)
    assert isinstance(received.errors[1], errors.SentenceEmpty)
    assert received.errors[1].field == "sentences[1]"
    assert (received.word_maps is not None) is word_maps
    for ours, theirs in zip(received.word_maps or (), sent.word_maps or (), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_floats_travel_little_endian_row_major() -> None:
    sent = alignment()
    values = response_from_alignment(sent, "id").results[0].alignment.map.values
    assert values == sent.maps[0].astype("<f4").tobytes("C")


def test_the_frame_survives_the_wire_with_what_follows_from_it() -> None:
    frame = letterbox(333, 517)
    message = frame_to_pb(frame)
    assert frame_from_pb(message) == frame
    assert (message.covered.x0, message.covered.y1) == (frame.covered[0], frame.covered[3])
    assert (message.padding.left, message.padding.bottom) == (frame.padding[0], frame.padding[3])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"image": b""}, errors.ImageEmpty),
        ({"sentences": []}, errors.SentencesMissing),
        ({"sentences": ["a b"] * (LIMITS.sentences + 1)}, errors.SentencesTooMany),
        ({"sentences": ["a" * (LIMITS.sentence_characters + 1)]}, errors.SentenceTooLong),
        ({"request_id": "a" * (LIMITS.request_id_characters + 1)}, errors.RequestInvalid),
        ({"request_id": "tab\t"}, errors.RequestInvalid),
    ],
)
def test_a_limit_passed_has_its_own_error(fields: dict[str, object], expected: type[errors.WronglungError]) -> None:
    with pytest.raises(expected) as caught:
        validate_request(request(**fields))
    assert caught.value.message


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"sentences": ["a"] * LIMITS.sentences},
        {"sentences": ["a" * LIMITS.sentence_characters]},
        {"sentences": [""]},
    ],
    ids=["plain", "most sentences", "longest sentence", "an empty one fails alone later"],
)
def test_what_keeps_the_limits_passes(fields: dict[str, object]) -> None:
    validate_request(request(**fields))


def test_too_many_bytes_are_refused_by_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(errors.ImageTooManyBytes):
        validate_request(request(image=b"12345"), replace(LIMITS, image_bytes=4))


def test_messages_never_quote_a_sentence() -> None:
    secret = "Mrs Example has " + "x" * LIMITS.sentence_characters
    with pytest.raises(errors.SentenceTooLong) as caught:
        validate_request(request(sentences=[secret]))
    assert "Example" not in str(caught.value)


def test_a_map_that_contradicts_its_size_is_a_defect_of_the_server() -> None:
    message = response_from_alignment(alignment(), "id")
    message.results[0].alignment.map.values = b"1234"
    with pytest.raises(errors.InternalError):
        alignment_from_response(message)
