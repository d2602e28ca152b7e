"""The handler with a small real model and no TorchServe around it."""

import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from handlers.alignment_handler import AlignmentHandler
from tests.fuzz import seeds
from tests.fuzz.contract import check_error
from tests.fuzz.watch import Check
from wronglung import images, wire
from wronglung.envelope import CONTEXT_ENTRY, REQUEST_ENTRY, RequestContext
from wronglung.errors import ImageError
from wronglung.limits import LIMITS
from wronglung.model.compute import ComputeConfig
from wronglung.model.random_model import create_random_model
from wronglung.torchserve.inference_pb2 import PredictionsRequest
from wronglung.v1 import alignment_pb2 as pb


class _Context:
    """TorchServe's context as far as the handler uses it; metrics go nowhere."""

    model_name = "encoder"

    def __init__(self) -> None:
        meter = SimpleNamespace(add_or_update=lambda value, labels: None)
        self.metrics = SimpleNamespace(get_metric=lambda name, kind: meter)

    def set_response_header(self, index: int, key: str, value: str) -> None:
        assert (key, value) == ("ts_stream_next", "false")


def checked_handler() -> Check:
    """A check that puts an envelope between two good ones."""
    handler, context = AlignmentHandler(), _Context()
    handler.find_meters(context)
    with tempfile.TemporaryDirectory() as folder:
        create_random_model(Path(folder), opt_out=True)
        handler.set_up(Path(folder), "encoder", "1.0", "cpu", ComputeConfig(deterministic=True))
    good = _entries(seeds.envelopes()[0])
    (expected,) = handler.handle([good], context)

    def check(data: bytes) -> float:
        entries = _entries(data)
        before, answer, behind = handler.handle([good, entries, good], context)
        assert before == behind == expected
        _check_answer(pb.AlignStreamResponse.FromString(answer))
        return _megapixels(entries)

    return check


def _entries(data: bytes) -> dict[str, bytes]:
    """What TorchServe makes of an envelope; of bytes that are none, a request with these bytes."""
    try:
        return dict(PredictionsRequest.FromString(data).input)
    except DecodeError:
        return {REQUEST_ENTRY: data, CONTEXT_ENTRY: RequestContext("a").to_bytes()}


def _check_answer(answer: pb.AlignStreamResponse) -> None:
    assert answer.WhichOneof("outcome") is not None
    assert answer.ByteSize() <= LIMITS.answer_bytes
    if answer.HasField("error"):
        check_error(wire.error_from_pb(answer.error))
        assert answer.error.code != pb.ERROR_CODE_INTERNAL, answer.error.message
        return
    alignment = wire.alignment_from_response(answer.response)
    for index, error in enumerate(alignment.errors):
        if error is None:
            assert np.isclose(alignment.maps[index].sum() + alignment.opt_out[index], 1, atol=1e-4)


def _megapixels(entries: dict[str, Any]) -> float:
    try:
        width, height = images.check(pb.AlignRequest.FromString(entries.get(REQUEST_ENTRY, b"")).image)
    except (ImageError, DecodeError):
        return 0.0
    return width * height / 1e6
