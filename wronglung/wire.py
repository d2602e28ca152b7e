"""Messages of alignment.proto ↔ numpy and the error tree, and the limits that need no decoding. No torch, no grpc."""

import numpy as np
import numpy.typing as npt

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

_FLOAT = np.dtype("<f4")
_ERRORS = leaf_errors()


def validate_request(request: pb.AlignRequest, limits: Limits = LIMITS) -> None:
    """Hold a request against every limit that its image need not be looked at for.

    An empty sentence passes: it fails alone, in the answer.

    Raises:
        InvalidRequest: the request passes a limit or lacks something.
    """
    _check_request_id(request.request_id, limits)
    if not request.model_name:
        raise RequestInvalid("no model is named: set model_name, ListModels tells which there are", field="model_name")
    if not request.image:
        raise ImageEmpty("the image has no bytes: send a JPEG, PNG or DICOM file", field="image")
    if len(request.image) > limits.image_bytes:
        raise ImageTooManyBytes(
            f"the image has {len(request.image)} bytes, {limits.image_bytes} are allowed: compress or shrink it",
            field="image",
        )
    _check_sentences(request, limits)


def _check_request_id(request_id: str, limits: Limits) -> None:
    if len(request_id) > limits.request_id_characters:
        raise RequestInvalid(
            f"the id has {len(request_id)} characters, {limits.request_id_characters} are allowed", field="request_id"
        )
    if request_id and not (request_id.isascii() and request_id.isprintable()):
        raise RequestInvalid("the id must be printable ASCII", field="request_id")


def _check_sentences(request: pb.AlignRequest, limits: Limits) -> None:
    count = len(request.sentences)
    if count == 0:
        raise SentencesMissing("no sentence: send at least one", field="sentences")
    if count > limits.sentences:
        raise SentencesTooMany(
            f"{count} sentences, {limits.sentences} are allowed: split them over several requests", field="sentences"
        )
    for index, sentence in enumerate(request.sentences):
        if len(sentence) > limits.sentence_characters:
            raise SentenceTooLong(
                f"{len(sentence)} characters, {limits.sentence_characters} are allowed: send single sentences",
                field=f"sentences[{index}]",
            )


def response_from_alignment(alignment: Alignment, request_id: str) -> pb.AlignResponse:
    """Write an alignment of S sentences as the answer to a request."""
    return pb.AlignResponse(
        request_id=request_id,
        model=identity_to_pb(alignment.model),
        frame=frame_to_pb(alignment.frame),
        results=[_result_to_pb(alignment, index) for index in range(len(alignment.errors))],
        deterministic=alignment.deterministic,
    )


def _result_to_pb(alignment: Alignment, index: int) -> pb.SentenceResult:
    if (error := alignment.errors[index]) is not None:
        return pb.SentenceResult(error=error_to_pb(error, field=error.field or f"sentences[{index}]"))
    word_maps = alignment.word_maps[index] if alignment.word_maps is not None else ()
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
    """Read an answer.

    Raises:
        InternalError: the answer contradicts itself, e.g. a map has another number of values than its size says.
    """
    found = [_alignment_of(result) for result in response.results]
    rows, cols = _grid([item.map for item in found if item is not None])
    nothing = np.full((rows, cols), np.nan, np.float32)
    has_word_maps = any(item is not None and len(item.word_maps) > 0 for item in found)
    return Alignment(
        maps=np.array([nothing if a is None else map_from_pb(a.map) for a in found], np.float32).reshape(
            -1, rows, cols
        ),
        opt_out=_column([None if a is None else a.opt_out_mass for a in found]),
        local_similarity=_column([None if a is None else a.local_similarity for a in found]),
        global_similarity=_column([None if a is None else a.global_similarity for a in found]),
        words=tuple(() if a is None else tuple(a.words) for a in found),
        truncated=np.array([a is not None and a.truncated for a in found], np.bool_),
        errors=tuple(
            error_from_pb(r.error) if a is None else None for r, a in zip(response.results, found, strict=True)
        ),
        frame=frame_from_pb(response.frame),
        model=identity_from_pb(response.model),
        word_maps=tuple(_word_maps(a, rows, cols) for a in found) if has_word_maps else None,
        deterministic=response.deterministic,
    )


def _alignment_of(result: pb.SentenceResult) -> pb.SentenceAlignment | None:
    match result.WhichOneof("outcome"):
        case "alignment":
            return result.alignment
        case "error":
            return None
        case _:
            raise InternalError("the server answered a sentence with neither an alignment nor an error")


def _grid(maps: list[pb.AttentionMap]) -> tuple[int, int]:
    """The size that all maps share; 0 × 0 where no sentence has one."""
    sizes = {(each.rows, each.cols) for each in maps}
    if len(sizes) > 1:
        raise InternalError(f"the server answered with maps of different sizes: {sorted(sizes)}")
    return sizes.pop() if sizes else (0, 0)


def _column(values: list[float | None]) -> FloatArray:
    return np.array([np.nan if value is None else value for value in values], np.float32)


def _word_maps(alignment: pb.SentenceAlignment | None, rows: int, cols: int) -> FloatArray:
    maps = [] if alignment is None else [map_from_pb(each) for each in alignment.word_maps]
    return np.array(maps, np.float32).reshape(-1, rows, cols)


def map_to_pb(values: npt.NDArray[np.floating]) -> pb.AttentionMap:
    """Write an (R, C) map."""
    rows, cols = values.shape
    return pb.AttentionMap(rows=rows, cols=cols, values=np.ascontiguousarray(values, _FLOAT).tobytes())


def map_from_pb(message: pb.AttentionMap) -> FloatArray:
    """Read an (R, C) float32 map.

    Raises:
        InternalError: the size is not positive, or the number of bytes does not follow from it.
    """
    if message.rows < 1 or message.cols < 1 or len(message.values) != 4 * message.rows * message.cols:
        raise InternalError(
            f"the server answered with a map of {message.rows} x {message.cols} cells in {len(message.values)} bytes"
        )
    return np.frombuffer(message.values, _FLOAT).astype(np.float32).reshape(message.rows, message.cols)


def identity_to_pb(identity: ModelIdentity) -> pb.ModelIdentity:
    """Write a model's identity."""
    return pb.ModelIdentity(name=identity.name, version=identity.version, weights_digest=identity.weights_digest)


def identity_from_pb(message: pb.ModelIdentity) -> ModelIdentity:
    """Read a model's identity."""
    return ModelIdentity(message.name, message.version, message.weights_digest)


def frame_to_pb(frame: Frame) -> pb.Frame:
    """Write a frame, with the fields that follow from the others."""
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
    """Read a frame.

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
        raise InternalError(f"the server answered with an impossible frame: {error}") from error


def error_to_pb(error: WronglungError, *, field: str | None = None) -> pb.Error:
    """Write an error; `field` overrides the one that the error names.

    Raises:
        KeyError: a defect: the error's class has no code of its own on the wire.
    """
    return pb.Error(
        code=_ERRORS[error.code].code,
        message=error.message,
        field=error.field if field is None else field,
        retry_after_ms=error.retry_after_ms,
    )


def error_from_pb(message: pb.Error) -> WronglungError:
    """Read an error. A code that this version does not know, from a newer server, becomes the base class."""
    known = {number: name for name, number in pb.ErrorCode.items()}
    cls = _ERRORS.get(known.get(message.code, ""), WronglungError)
    return cls(message.message, field=message.field, retry_after_ms=message.retry_after_ms)
