"""What a request must pass before any work is done for it: limits, by arithmetic and from the image's header."""

import asyncio

from google.protobuf.message import DecodeError

from wronglung import images, wire
from wronglung.errors import AnswerTooLarge, RequestInvalid
from wronglung.gateway.load import Load
from wronglung.limits import LIMITS, Limits
from wronglung.served import ServedModel
from wronglung.v1 import alignment_pb2 as pb

_INLINE_BYTES = 256 * 1024


def parse(body: bytes) -> pb.AlignRequest:
    """Read a request.

    Raises:
        RequestInvalid: the bytes are not an `AlignRequest`.
    """
    try:
        return pb.AlignRequest.FromString(body)
    except DecodeError as error:
        raise RequestInvalid("the message is not an AlignRequest: check the .proto file it was built from") from error


async def check(request: pb.AlignRequest, size: int, model: ServedModel) -> tuple[Load, int]:
    """Hold a request of `size` bytes against every limit; returns what it weighs, and how large its answer can be.

    Raises:
        InvalidRequest: it passes a limit, or its image is not one that can be decoded.
    """
    wire.validate_request(request)
    answer_bytes = check_answer_size(request, model)
    width, height = await _check_image(request.image)
    return Load.of_request(len(request.sentences), width * height, size), answer_bytes


async def _check_image(data: bytes) -> tuple[int, int]:
    """Read the image's header; that of a large file, which can be long, and of DICOM in a thread."""
    if len(data) <= _INLINE_BYTES and images.sniff(data) != "dicom":
        return images.check(data)
    return await asyncio.to_thread(images.check, data)


def check_answer_size(request: pb.AlignRequest, model: ServedModel, limits: Limits = LIMITS) -> int:
    """Refuse word maps that could make the answer too large, counting as many words as the sentences could have.

    Returns:
        A bound on the answer's size in bytes.

    Raises:
        AnswerTooLarge: the answer could pass the limit.
    """
    grid = wire.GridSize(model.grid_rows, model.grid_cols)
    bound = wire.answer_bytes_bound(request, grid, model.max_word_pieces)
    if bound > limits.answer_bytes:
        raise AnswerTooLarge(
            f"the answer could reach {bound} bytes, {limits.answer_bytes} are allowed: "
            "ask for word maps of fewer or shorter sentences at a time",
            field="options.word_maps",
        )
    return bound
