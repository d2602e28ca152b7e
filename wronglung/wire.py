"""Message ↔ numpy, errors ↔ messages, and what can be checked of a request by counting. numpy and protobuf only.

The meaning of every field is in `alignment.proto`; this module only carries it across.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from wronglung.alignment import Alignment, FloatArray, ModelIdentity
from wronglung.errors import (
    ImageEmpty,
    ImageTooManyBytes,
    InternalError,
    RequestInvalid,
    SentencesMissing,
    SentencesTooMany,
    SentenceTooLong,
    WronglungError,
    leaf_errors,
)
from wronglung.geometry import Frame
from wronglung.limits import LIMITS, Limits
from wronglung.v1 import alignment_pb2 as pb

_FLOAT32_LE = np.dtype("<f4")
_ERROR_OF_CODE = leaf_errors()


# Requests.


def validate_request(request: pb.AlignRequest, limits: Limits = LIMITS) -> None:
    """Hold a request against the limits that need neither the model nor a look into the image.

    A sentence without words is let through: it fails alone, inside the answer. Whether the model exists is for the
    server to say, who can name the ones that do.

    Raises:
        InvalidRequest: the leaf that names what is wrong and where.
    """
    check_request_id(request.request_id, limits)
    check_image_bytes(request.image, limits)
    check_sentences(request.sentences, limits)


def check_request_id(request_id: str, limits: Limits = LIMITS) -> None:
    """Raise RequestInvalid if the id is longer than allowed, or not printable ASCII; an empty one passes."""
    allowed = limits.request_id_characters
    if len(request_id) > allowed:
        message = f"the id has {len(request_id)} characters, {allowed} are allowed: send a shorter one"
        raise RequestInvalid(message, field="request_id")
    if not (request_id.isascii() and request_id.isprintable()):
        raise RequestInvalid("the id may hold printable ASCII characters only", field="request_id")


def check_image_bytes(image: bytes, limits: Limits = LIMITS) -> None:
    """Raise ImageEmpty or ImageTooManyBytes."""
    if not image:
        raise ImageEmpty("the image has no bytes: send the content of a JPEG, PNG or DICOM file", field="image")
    if len(image) > limits.image_bytes:
        message = f"the image has {len(image)} bytes, {limits.image_bytes} are allowed: compress it or make it smaller"
        raise ImageTooManyBytes(message, field="image")


def check_sentences(sentences: Sequence[str], limits: Limits = LIMITS) -> None:
    """Raise SentencesMissing, SentencesTooMany or SentenceTooLong."""
    if not sentences:
        raise SentencesMissing("there is no sentence: send at least one", field="sentences")
    if len(sentences) > limits.sentences:
        message = f"there are {len(sentences)} sentences, {limits.sentences} are allowed: send several requests"
        raise SentencesTooMany(message, field="sentences")
    for index, sentence in enumerate(sentences):
        if len(sentence) > limits.sentence_characters:
            allowed = limits.sentence_characters
            message = f"the sentence has {len(sentence)} characters, {allowed} are allowed: split it"
            raise SentenceTooLong(message, field=f"sentences[{index}]")


class GridSize(NamedTuple):
    """Size of a model's maps in cells."""

    rows: int
    cols: int


_RESPONSE_OVERHEAD = 1536
"""Ids, names, digest, frame: what an answer holds once. Names are file names, of at most 255 bytes."""
_MAP_OVERHEAD = 32
_SENTENCE_OVERHEAD = 64
_WORD_OVERHEAD = 12
"""Tag, length, and the five letters by which "[UNK]" can be longer than the word it stands for."""
_ERROR_BYTES = 1024
"""A sentence that fails is answered by a message instead of a map."""


def answer_bytes_bound(request: pb.AlignRequest, grid: GridSize, max_word_pieces: int) -> int:
    """An upper bound of the size of the serialised answer to a request, in bytes.

    n characters hold at most n words; start and end token come on top, and a model reads no more than its word pieces.
    """
    map_bytes = 4 * grid.rows * grid.cols + _MAP_OVERHEAD
    total = _RESPONSE_OVERHEAD
    for sentence in request.sentences:
        words = min(len(sentence) + 2, max_word_pieces)
        maps = 1 + (words if request.options.word_maps else 0)
        result = _SENTENCE_OVERHEAD + maps * map_bytes + words * _WORD_OVERHEAD + 4 * len(sentence)
        total += max(result, _ERROR_BYTES)
    return total


# Answers.


def response_from_alignment(alignment: Alignment, request_id: str) -> pb.AlignResponse:
    """Write an alignment as the answer to a request; word maps go along if there are any.

    A value that is no number never leaves: its sentence is answered by an InternalError.
    """
    return pb.AlignResponse(
        request_id=request_id,
        model=identity_to_pb(alignment.model),
        frame=frame_to_pb(alignment.frame),
        results=[_result_to_pb(alignment, index) for index in range(len(alignment.errors))],
        deterministic=alignment.deterministic,
    )


def _result_to_pb(alignment: Alignment, index: int) -> pb.SentenceResult:
    error = alignment.errors[index]
    if error is None and not alignment.is_sound(index):
        error = InternalError("the model computed values that are no numbers for this sentence: check its weights")
    if error is not None:
        return pb.SentenceResult(error=error_to_pb(error, field=error.field or f"sentences[{index}]"))
    word_maps: Iterable[FloatArray] = () if alignment.word_maps is None else alignment.word_maps[index]
    return pb.SentenceResult(
        alignment=pb.SentenceAlignment(
            map=map_to_pb(alignment.maps[index]),
            opt_out_mass=float(alignment.opt_out[index]),
            local_similarity=float(alignment.local_similarity[index]),
            global_similarity=float(alignment.global_similarity[index]),
            words=alignment.words[index],
            word_maps=[map_to_pb(word_map) for word_map in word_maps],
            truncated=bool(alignment.truncated[index]),
        )
    )


def alignment_from_response(response: pb.AlignResponse) -> Alignment:
    """Read an answer. `word_maps` is None unless some sentence has them.

    A failed sentence has NaN in every array; if all failed, no grid is known and the maps are (S, 0, 0).

    Raises:
        InternalError: the answer contradicts itself: a map of the wrong size, a value that is no number, or a result
            that is neither.
    """
    results = [_read_result(result, index) for index, result in enumerate(response.results)]
    aligned = [result for result in results if isinstance(result, pb.SentenceAlignment)]
    maps = [map_from_pb(result.map) if isinstance(result, pb.SentenceAlignment) else None for result in results]
    grid = _common_grid(maps)
    has_word_maps = any(result.word_maps for result in aligned)
    return Alignment(
        maps=_stack([_nothing(grid) if each is None else each for each in maps], grid),
        opt_out=_column(results, "opt_out_mass"),
        local_similarity=_column(results, "local_similarity"),
        global_similarity=_column(results, "global_similarity"),
        words=tuple(_words(result) for result in results),
        truncated=np.array([not isinstance(r, WronglungError) and r.truncated for r in results], dtype=np.bool_),
        errors=tuple(result if isinstance(result, WronglungError) else None for result in results),
        frame=frame_from_pb(response.frame),
        model=identity_from_pb(response.model),
        word_maps=tuple(_word_maps(result, grid) for result in results) if has_word_maps else None,
        deterministic=response.deterministic,
    )


_Result = pb.SentenceAlignment | WronglungError


def _read_result(result: pb.SentenceResult, index: int) -> _Result:
    outcome = result.WhichOneof("outcome")
    if outcome == "alignment":
        return result.alignment
    if outcome == "error":
        return error_from_pb(result.error)
    raise InternalError("the server's answer has neither a map nor an error", field=f"sentences[{index}]")


def _common_grid(maps: Sequence[FloatArray | None]) -> GridSize:
    sizes = {GridSize(*each.shape) for each in maps if each is not None}
    if len(sizes) > 1:
        raise InternalError(f"the server's answer mixes grids of several sizes: {sorted(sizes)}")
    return sizes.pop() if sizes else GridSize(0, 0)


def _nothing(grid: GridSize) -> FloatArray:
    return np.full(grid, np.nan, dtype=np.float32)


def _word_maps(result: _Result, grid: GridSize) -> FloatArray:
    if isinstance(result, WronglungError):
        return _stack([], grid)
    return _stack([map_from_pb(word_map) for word_map in result.word_maps], grid)


def _stack(maps: Sequence[FloatArray], grid: GridSize) -> FloatArray:
    if any(each.shape != grid for each in maps):
        raise InternalError(f"the server's answer holds a map that is not {grid.rows} x {grid.cols}")
    return np.array(maps, dtype=np.float32).reshape(len(maps), *grid)


def _column(results: Sequence[_Result], field: str) -> FloatArray:
    failed = np.array([isinstance(result, WronglungError) for result in results], dtype=np.bool_)
    values = [np.nan if isinstance(result, WronglungError) else getattr(result, field) for result in results]
    column = np.array(values, dtype=np.float32)
    if not np.array_equal(np.isfinite(column), ~failed):
        raise InternalError(f"the server's answer holds a value of {field} that is no number")
    return column


def _words(result: _Result) -> tuple[str, ...]:
    return () if isinstance(result, WronglungError) else tuple(result.words)


def map_to_pb(values: FloatArray) -> pb.AttentionMap:
    """Write one R × C map."""
    rows, cols = values.shape
    return pb.AttentionMap(rows=rows, cols=cols, values=np.ascontiguousarray(values, dtype=_FLOAT32_LE).tobytes())


def map_from_pb(message: pb.AttentionMap) -> FloatArray:
    """Read one map, (R, C) float32.

    Raises:
        InternalError: its bytes do not fit its size, or are not all numbers.
    """
    rows, cols = message.rows, message.cols
    if rows < 1 or cols < 1 or len(message.values) != 4 * rows * cols:
        raise InternalError(f"the server's answer holds {len(message.values)} bytes for a map of {rows} x {cols}")
    values = np.frombuffer(message.values, dtype=_FLOAT32_LE).reshape(rows, cols).astype(np.float32)
    if not np.isfinite(values).all():
        raise InternalError("the server's answer holds a map with values that are no numbers")
    return values


def identity_to_pb(identity: ModelIdentity) -> pb.ModelIdentity:
    """Write which weights answered."""
    return pb.ModelIdentity(name=identity.name, version=identity.version, weights_digest=identity.weights_digest)


def identity_from_pb(message: pb.ModelIdentity) -> ModelIdentity:
    """Read which weights answered."""
    return ModelIdentity(name=message.name, version=message.version, weights_digest=message.weights_digest)


def frame_to_pb(frame: Frame) -> pb.Frame:
    """Write a frame, with the redundant fields filled in."""
    x0, y0, x1, y1 = frame.covered
    left, top, right, bottom = frame.padding
    return pb.Frame(
        image_width=frame.image_width,
        image_height=frame.image_height,
        resized_width=frame.resized_width,
        resized_height=frame.resized_height,
        offset_x=frame.offset_x,
        offset_y=frame.offset_y,
        width=frame.width,
        height=frame.height,
        covered=pb.Rectangle(x0=x0, y0=y0, x1=x1, y1=y1),
        padding=pb.Padding(left=left, top=top, right=right, bottom=bottom),
    )


def frame_from_pb(message: pb.Frame) -> Frame:
    """Read a frame; the redundant fields are computed anew.

    Raises:
        InternalError: a size is below 1.
    """
    try:
        return Frame(
            image_width=message.image_width,
            image_height=message.image_height,
            resized_width=message.resized_width,
            resized_height=message.resized_height,
            offset_x=message.offset_x,
            offset_y=message.offset_y,
            width=message.width,
            height=message.height,
        )
    except ValueError as error:
        raise InternalError(f"the server's answer holds an impossible frame: {error}") from error


# Errors.


def error_to_pb(error: WronglungError, *, field: str | None = None) -> pb.Error:
    """Write an error; `field` stands in for the field that the error itself names."""
    return pb.Error(
        code=error.code,
        message=error.message,
        field=error.field if field is None else field,
        retry_after_ms=error.retry_after_ms,
    )


def error_from_pb(message: pb.Error) -> WronglungError:
    """Read an error: an instance of its code's class, or a plain `WronglungError` for a code of a later contract."""
    number = message.code
    name = pb.ErrorCode.Name(number) if number in pb.ErrorCode.values() else ""
    cls = _ERROR_OF_CODE.get(name, WronglungError)
    return cls(message.message, field=message.field, retry_after_ms=max(0, message.retry_after_ms))
