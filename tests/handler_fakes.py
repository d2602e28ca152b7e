"""A handler whose engine needs no weights, and what TorchServe hands to it."""

import io
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image

from handlers.alignment_handler import AlignmentHandler
from wronglung.alignment import Alignment, ModelIdentity
from wronglung.envelope import CONTEXT_ENTRY, REQUEST_ENTRY, RequestContext
from wronglung.errors import SentenceEmpty
from wronglung.geometry import letterbox
from wronglung.model.cache import CacheFigures
from wronglung.v1 import alignment_pb2 as pb


class FakeModel:
    """Answers (image's first pixel + number of the sentence) / 1000 in a 2 × 3 map; notes every call."""

    def __init__(self, *, deterministic: bool) -> None:
        self.deterministic = deterministic
        self.calls: list[int] = []

    def align(
        self, images: Sequence[Any], sentences: Sequence[Sequence[str]], word_maps: bool = False
    ) -> list[Alignment]:
        self.calls.append(len(images))
        if any("crash" in group for group in sentences):
            raise RuntimeError("a defect")
        return [self._one(image, group, word_maps) for image, group in zip(images, sentences, strict=True)]

    def caches(self) -> dict[str, CacheFigures]:
        """One hit an image and nothing else."""
        return {"image": CacheFigures(sum(self.calls), 0, 0, 700), "sentence": CacheFigures(0, 0, 0, 0)}

    def _one(self, image: Any, sentences: Sequence[str], word_maps: bool) -> Alignment:
        count = len(sentences)
        value = (float(image[0, 0]) + np.arange(count)) / 1000
        maps = np.broadcast_to(value[:, None, None], (count, 2, 3)).astype(np.float32)
        return Alignment(
            maps=maps,
            opt_out=np.zeros(count, np.float32),
            local_similarity=np.zeros(count, np.float32),
            global_similarity=np.zeros(count, np.float32),
            words=tuple(("[CLS]",) for _ in sentences),
            truncated=np.zeros(count, np.bool_),
            errors=tuple(None if s else SentenceEmpty("nothing is left") for s in sentences),
            frame=letterbox(image.shape[1], image.shape[0]),
            model=ModelIdentity("fake", "1.0", "0" * 64),
            word_maps=tuple(maps[i : i + 1] for i in range(count)) if word_maps else None,
            deterministic=self.deterministic,
        )


class FakeContext:
    """TorchServe's context as far as the handler uses it."""

    model_name = "fake"

    def __init__(self) -> None:
        self.headers: dict[int, dict[str, str]] = {}
        self.reported: dict[tuple[str, ...], float] = {}
        self.metrics = SimpleNamespace(get_metric=self._metric)

    def set_response_header(self, index: int, key: str, value: str) -> None:
        self.headers.setdefault(index, {})[key] = value

    def _metric(self, name: str, kind: Any) -> Any:
        def report(value: float, labels: Sequence[str]) -> None:
            self.reported[(name.removeprefix("wronglung_handler_"), *labels)] = value

        return SimpleNamespace(add_or_update=report)


def with_fake_model(*, deterministic: bool) -> AlignmentHandler:
    handler = AlignmentHandler()
    handler.model = FakeModel(deterministic=deterministic)  # type: ignore[assignment]
    handler.find_meters(FakeContext())
    return handler


def png(value: int = 100) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (8, 8), value).save(buffer, "PNG")
    return buffer.getvalue()


def entry(request_id: str, *, deadline: float | None = None, **fields: Any) -> dict[str, bytearray]:
    good = {"model_name": "fake", "image": png(), "sentences": ["a lung"]}
    body = pb.AlignRequest(request_id=request_id, **(good | fields)).SerializeToString()
    context = RequestContext(request_id, deadline).to_bytes()
    return {REQUEST_ENTRY: bytearray(body), CONTEXT_ENTRY: bytearray(context)}


def handle(handler: AlignmentHandler, *entries: dict[str, bytearray]) -> list[pb.AlignStreamResponse]:
    return [pb.AlignStreamResponse.FromString(each) for each in handler.handle(entries, FakeContext())]


def code(response: pb.AlignStreamResponse) -> str:
    return pb.ErrorCode.Name(response.error.code).removeprefix("ERROR_CODE_") if response.HasField("error") else "OK"
