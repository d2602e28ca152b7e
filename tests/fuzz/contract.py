"""What the contract says of any input: a sound result, or a typed error in a few words that quote nothing."""

import asyncio

import grpc
import numpy as np
from google.protobuf.message import DecodeError

from wronglung import images, wire
from wronglung.client.transport import error_from_call
from wronglung.errors import ImageError, InternalError, InvalidRequest, WronglungError, leaf_errors
from wronglung.gateway import checks
from wronglung.gateway.load import HEAVIEST
from wronglung.gateway.pipeline import parse_answer
from wronglung.gateway.status import DETAILS_KEY, status_of
from wronglung.limits import LIMITS
from wronglung.served import ServedModel
from wronglung.v1 import alignment_pb2 as pb

_LONGEST_MESSAGE = 300
_MODEL = ServedModel("encoder", "1.0", "ab" * 32, True, 19, 19, 224, 224, max_word_pieces=97)
_NO_PIXELS = 0.0


def check_error(error: WronglungError, field: str | None = None) -> None:
    """A leaf of the tree, in short printable words, that survives the wire; about this field if one is given."""
    assert field in (None, error.field), error.field
    assert type(error) in leaf_errors().values(), type(error)
    assert 0 < len(error.message) <= _LONGEST_MESSAGE, len(error.message)
    assert error.message.isprintable()
    assert type(wire.error_from_pb(wire.error_to_pb(error))) is type(error)
    assert status_of(error, "a").code != 0


def check_image(data: bytes) -> float:
    """Pixels of the size that the header says, or an `ImageError` about the field `image`."""
    try:
        width, height = images.check(data)
    except ImageError as error:
        check_error(error, field="image")
        return _NO_PIXELS
    try:
        pixels = images.decode(data)
    except ImageError as error:
        check_error(error, field="image")
    else:
        assert pixels.dtype in (np.uint8, np.uint16), pixels.dtype
        assert pixels.shape == (height, width)
    return width * height / 1e6


def check_request(data: bytes) -> float:
    """A load within what one request may weigh, or an `InvalidRequest`."""
    try:
        request = checks.parse(data)
        wire.check_request_id(request.request_id)
        load, answer_bytes = asyncio.run(checks.check(request, len(data), _MODEL))
    except InvalidRequest as error:
        check_error(error)
        return _NO_PIXELS
    assert load.within(HEAVIEST), load
    assert min(load) >= 1, load
    assert 0 < answer_bytes <= LIMITS.answer_bytes, answer_bytes
    return _NO_PIXELS


def check_answer(data: bytes) -> float:
    """Arrays of matching sizes with numbers in them, or an `InternalError`; bytes that are no message are gRPC's."""
    try:
        response = pb.AlignResponse.FromString(data)
    except DecodeError:
        return _NO_PIXELS
    try:
        _check_alignment(response)
    except InternalError as error:
        check_error(error)
    try:
        parse_answer(data, "a")
    except InternalError as error:
        check_error(error)
    return _NO_PIXELS


def _check_alignment(response: pb.AlignResponse) -> None:
    alignment = wire.alignment_from_response(response)
    count = len(response.results)
    good = np.array([error is None for error in alignment.errors], np.bool_)
    assert alignment.maps.shape[0] == len(alignment.words) == len(alignment.errors) == count
    for values in (alignment.maps, alignment.opt_out, alignment.local_similarity, alignment.global_similarity):
        assert np.isfinite(values[good]).all()
        assert np.isnan(values[~good]).all()
    for each in alignment.word_maps or ():
        assert each.shape[1:] == alignment.maps.shape[1:]
        assert np.isfinite(each).all()


class _BrokenCall(grpc.RpcError):
    """A call that ended with these details and says nothing else."""

    def __init__(self, details: bytes) -> None:
        self._details = details

    def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:
        return ((DETAILS_KEY, self._details),)

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        return ""


def check_status(data: bytes) -> float:
    """An error of the tree, whose fields can be used."""
    error = error_from_call(_BrokenCall(data))
    assert isinstance(error, WronglungError)
    assert error.retry_after_ms >= 0
    assert isinstance(str(error), str)
    return _NO_PIXELS
