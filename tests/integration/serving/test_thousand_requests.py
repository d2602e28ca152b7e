"""1,000 requests from 8 concurrent callers, one in ten of them broken: bad items fail alone, and nothing restarts."""

import io
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import numpy as np
import pytest
from grpc_status import rpc_status
from PIL import Image

from tests.serving import Instance
from wronglung.v1 import alignment_pb2 as pb

pytestmark = pytest.mark.integration

CALLERS = 8
REQUESTS = 1000
SENTENCE = "There is a small right pleural effusion."


def jpeg(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (160, 120), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


def bomb() -> bytes:
    """A PNG file that says it has 30,000 × 30,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(30_001 * 64))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


IMAGES = [jpeg(seed) for seed in range(16)]
GOOD: dict[str, Any] = {"model_name": "encoder", "image": IMAGES[0], "sentences": [SENTENCE]}
BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("IMAGE_CORRUPT", {"image": IMAGES[0][: len(IMAGES[0]) // 2]}),
    ("IMAGE_EMPTY", {"image": b""}),
    ("IMAGE_TOO_MANY_PIXELS", {"image": bomb()}),
    ("IMAGE_FORMAT_UNSUPPORTED", {"image": b"There is a small right pleural effusion."}),
    ("SENTENCES_TOO_MANY", {"sentences": [SENTENCE] * 257}),
    ("SENTENCE_EMPTY", {"sentences": [SENTENCE, ""]}),
    ("MODEL_UNKNOWN", {"model_name": "no-such-model"}),
]


def request(index: int) -> tuple[pb.AlignRequest, str]:
    """Request `index` and the outcome that it must have."""
    if index % 10 == 0:
        expected, spoiled = BROKEN[index // 10 % len(BROKEN)]
    else:
        expected, spoiled = "OK", {"image": IMAGES[index % 16], "model_name": ("encoder", "encoder-optout")[index % 2]}
    return pb.AlignRequest(request_id=str(index), **(GOOD | spoiled)), expected


def outcome(answer: pb.AlignStreamResponse) -> str:
    """The code of a request's own error, or of its sentences' error, or OK."""
    errors = [answer.error] if answer.HasField("error") else []
    errors += [result.error for result in answer.response.results if result.HasField("error")]
    return pb.ErrorCode.Name(errors[0].code).removeprefix("ERROR_CODE_") if errors else "OK"


def over_a_stream(stub: Any, requests: Iterator[pb.AlignRequest]) -> Iterator[pb.AlignStreamResponse]:
    yield from stub.AlignStream(requests, timeout=280)


def one_by_one(stub: Any, requests: Iterator[pb.AlignRequest]) -> Iterator[pb.AlignStreamResponse]:
    for each in requests:
        yield unary(stub, each)


def unary(stub: Any, asked: pb.AlignRequest) -> pb.AlignStreamResponse:
    """The outcome of a unary call in the form of a stream's."""
    answer = pb.AlignStreamResponse(request_id=asked.request_id)
    try:
        answer.response.CopyFrom(stub.Align(asked, timeout=60))
    except grpc.RpcError as failure:
        assert rpc_status.from_call(failure).details[0].Unpack(answer.error)  # noqa: PT017 - what the test looks at
    return answer


@pytest.mark.slow
@pytest.mark.parametrize("method", [over_a_stream, one_by_one])
def test_every_good_request_is_answered_and_every_bad_one_by_its_own_error(server: Instance, method: Any) -> None:
    def share(caller: int) -> dict[int, str]:
        requests = (request(index)[0] for index in range(caller, REQUESTS, CALLERS))
        with server.stub() as stub:
            return {int(each.request_id): outcome(each) for each in method(stub, requests)}

    workers = server.workers
    with ThreadPoolExecutor(CALLERS) as pool:
        shares = list(pool.map(share, range(CALLERS)))
    answered = {index: code for share in shares for index, code in share.items()}
    assert answered == {index: request(index)[1] for index in range(REQUESTS)}
    assert Counter(answered.values())["OK"] == 900
    assert server.workers == workers
    assert len(workers) == len(server.models)
