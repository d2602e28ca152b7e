"""Specification of the messages: what goes in comes out, limits are held, contradictions are named."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wronglung import errors
from wronglung.alignment import Alignment, ModelIdentity
from wronglung.geometry import letterbox
from wronglung.limits import LIMITS
from wronglung.v1 import alignment_pb2 as pb
from wronglung.wire import (
    GridSize,
    alignment_from_response,
    answer_bytes_bound,
    error_from_pb,
    error_to_pb,
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


@pytest.mark.parametrize("name", ["maps", "opt_out", "local_similarity", "global_similarity", "word_maps"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_never_leaves(name: str, value: float) -> None:
    """The sentence is answered by an error in its place, and the next one as ever."""
    computed = alignment(word_maps=True)
    values = getattr(computed, name)[0]
    spoiled = values.copy() if isinstance(values, np.ndarray) else None
    if spoiled is None:
        getattr(computed, name)[0] = value
    else:
        spoiled.flat[1] = value
        whole = (spoiled, computed.word_maps[1]) if name == "word_maps" else np.stack([spoiled, computed.maps[1]])
        computed = replace(computed, **{name: whole})
    message = response_from_alignment(computed, "id")
    assert [each.WhichOneof("outcome") for each in message.results] == ["error", "error"]
    assert message.results[0].error.code == pb.ERROR_CODE_INTERNAL
    assert message.results[0].error.field == "sentences[0]"
    assert message.results[1].error.code == pb.ERROR_CODE_SENTENCE_EMPTY


@pytest.mark.parametrize("name", ["map", "word_maps", "opt_out_mass", "local_similarity", "global_similarity"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_refused_by_the_client(name: str, value: float) -> None:
    message = response_from_alignment(alignment(word_maps=True), "id")
    result = message.results[0].alignment
    spoiled = np.full((19, 19), value, "<f4").tobytes()
    if name == "map":
        result.map.values = spoiled
    elif name == "word_maps":
        result.word_maps[1].values = spoiled
    else:
        setattr(result, name, value)
    with pytest.raises(errors.InternalError, match="no number"):
        alignment_from_response(message)


def test_advice_to_wait_is_never_less_than_nothing() -> None:
    assert error_from_pb(pb.Error(code=pb.ERROR_CODE_OVERLOADED, retry_after_ms=-5)).retry_after_ms == 0


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


@pytest.mark.parametrize(("rows", "cols"), [(-2, -3), (100_000, 100_000), (0, 0)])
def test_no_sentence_that_failed_gets_a_map_of_an_impossible_size(rows: int, cols: int) -> None:
    """Found by fuzzing: it got its map of nothing before the size of the others was checked."""
    failed = pb.SentenceResult(error=error_to_pb(errors.SentenceEmpty("empty")))
    whole = pb.SentenceResult(alignment=pb.SentenceAlignment(map=pb.AttentionMap(rows=rows, cols=cols)))
    with pytest.raises(errors.InternalError, match="bytes for a map of"):
        alignment_from_response(pb.AlignResponse(results=[failed, whole]))


def test_a_map_that_is_missing_is_a_defect_of_the_server() -> None:
    message = response_from_alignment(alignment(), "id")
    message.results[0].Clear()
    with pytest.raises(errors.InternalError):
        alignment_from_response(message)


def test_maps_of_several_sizes_are_a_defect_of_the_server() -> None:
    message = response_from_alignment(alignment(word_maps=True), "id")
    word_map = message.results[0].alignment.word_maps[0]
    word_map.rows, word_map.cols, word_map.values = 1, 1, b"\0\0\0\0"
    with pytest.raises(errors.InternalError):
        alignment_from_response(message)


def test_an_impossible_frame_is_a_defect_of_the_server() -> None:
    message = response_from_alignment(alignment(), "id")
    message.frame.width = 0
    with pytest.raises(errors.InternalError):
        alignment_from_response(message)


def test_an_answer_in_which_every_sentence_failed_has_no_grid() -> None:
    message = response_from_alignment(alignment(), "id")
    del message.results[0]
    received = alignment_from_response(message)
    assert received.maps.shape == (1, 0, 0)
    assert np.isnan(received.opt_out).all()


Answered = tuple[pb.AlignRequest, GridSize, int, pb.AlignStreamResponse]


@st.composite
def answered(draw: st.DrawFn) -> Answered:
    """A request, the model's grid and word limit, and as large an answer as the model could give."""
    grid, pieces = GridSize(draw(st.integers(1, 19)), draw(st.integers(1, 19))), draw(st.integers(3, 97))
    sentences = draw(st.lists(st.text(max_size=60), min_size=1, max_size=4))
    word_maps = draw(st.booleans())
    sent = request(sentences=sentences, request_id="r" * 128, options=pb.AlignOptions(word_maps=word_maps))
    words = [("[CLS]", *("[UNK]" for _ in text))[:pieces] for text in sentences]
    failed = draw(st.lists(st.booleans(), min_size=len(sentences), max_size=len(sentences)))
    full = Alignment(
        maps=np.ones((len(sentences), *grid), np.float32),
        opt_out=np.ones(len(sentences), np.float32),
        local_similarity=np.ones(len(sentences), np.float32),
        global_similarity=np.ones(len(sentences), np.float32),
        words=tuple(words),
        truncated=np.ones(len(sentences), np.bool_),
        errors=tuple(errors.SentenceEmpty("m" * 500) if each else None for each in failed),
        frame=letterbox(99999, 88888),
        model=ModelIdentity("n" * 255, "1" * 64, "f" * 64),
        word_maps=tuple(np.ones((len(each), *grid), np.float32) for each in words) if word_maps else None,
    )
    answer = pb.AlignStreamResponse(request_id="r" * 128, response=response_from_alignment(full, "r" * 128))
    return sent, grid, pieces, answer


@given(answered())
def test_no_answer_is_larger_than_its_bound(
    case: tuple[pb.AlignRequest, GridSize, int, pb.AlignStreamResponse],
) -> None:
    sent, grid, pieces, answer = case
    assert answer.ByteSize() <= answer_bytes_bound(sent, grid, pieces)


def test_without_word_maps_nothing_within_the_limits_is_refused() -> None:
    largest = request(sentences=["a" * LIMITS.sentence_characters] * LIMITS.sentences)
    assert answer_bytes_bound(largest, GridSize(19, 19), 97) < LIMITS.answer_bytes


def test_the_bound_is_not_far_from_a_typical_answer() -> None:
    """Else word maps would be refused that could be had."""
    text = "There is a small effusion at the base of the right lung."
    typical = request(sentences=[text] * 20, options=pb.AlignOptions(word_maps=True))
    maps_alone = 20 * (1 + len(text.split()) + 1) * 4 * 19 * 19
    assert maps_alone < answer_bytes_bound(typical, GridSize(19, 19), 97) < LIMITS.answer_bytes
