"""A tiny data set and a client without a server, for tests of the harness: deterministic, no images, no weights."""

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from harness.case import Box, ImageRecord, Sentence, Triple
from harness.dataset.base import digest_records
from wronglung.alignment import Alignment, ModelIdentity
from wronglung.client import AlignItem
from wronglung.errors import InternalError, SentenceEmpty, WronglungError
from wronglung.geometry import letterbox

WIDTH, HEIGHT, GRID = 320, 256, 7
RIGHT_LUNG = Box("right lung", 20, 30, 140, 220)
LEFT_LUNG = Box("left lung", 180, 30, 300, 220)


def png(seed: int = 0, width: int = WIDTH, height: int = HEIGHT) -> bytes:
    """A small grey PNG that differs from seed to seed."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()


def sentence(sentence_id: str, text: str, *boxes: Box, label: str = "abnormal", context: bool = True) -> Sentence:
    """A sentence that states `label` of every box."""
    triples = tuple(Triple(box.name, label, context) for box in boxes)
    return Sentence(sentence_id, text, boxes, triples, negated=not context)


def record(i: int, *sentences: Sentence, patient: str = "") -> ImageRecord:
    """Image i of patient i // 2 unless said otherwise; a right, a left and a negated sentence unless given."""
    given = sentences or (
        sentence(f"s{i}-0", f"Opacity in the right lung, variant {i % 5}.", RIGHT_LUNG),
        sentence(f"s{i}-1", "There is a nodule in the left lung.", LEFT_LUNG),
        sentence(f"s{i}-2", "The lungs are clear.", RIGHT_LUNG, LEFT_LUNG, context=False),
    )
    return ImageRecord(
        image_id=f"image{i}",
        patient_id=patient or f"patient{i // 2}",
        study_id=f"study{i}",
        width=WIDTH,
        height=HEIGHT,
        regions=(RIGHT_LUNG, LEFT_LUNG),
        sentences=given,
        load=lambda: png(i),
    )


class FakeDataset:
    """Records held in memory."""

    def __init__(self, records: Sequence[ImageRecord]) -> None:
        self.name = "fake"
        self.records = tuple(records)
        self.digest = digest_records(self.records)

    def __iter__(self) -> Iterator[ImageRecord]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)


def fake_dataset(images: int = 8) -> FakeDataset:
    """`images` records of `record`."""
    return FakeDataset([record(i) for i in range(images)])


def identity(model: str) -> ModelIdentity:
    """The fake weights behind a model's name."""
    return ModelIdentity(model, "1.0", hashlib.sha256(model.encode()).hexdigest())


def fake_map(model: str, image: bytes, text: str) -> np.ndarray:
    """(GRID, GRID) float32 that depends on all three and leans to the side that the text names."""
    seed = hashlib.sha256(b"\x1f".join([model.encode(), image, text.encode()])).digest()
    cells = np.random.default_rng(int.from_bytes(seed[:8], "big")).random((GRID, GRID)) + 0.5
    half = slice(0, GRID // 2) if "right" in text.lower() else slice(GRID // 2 + 1, None)
    cells[:, half] += 1.0
    return (0.95 * cells / cells.sum()).astype(np.float32)


def align(item: AlignItem, width: int = WIDTH, height: int = HEIGHT) -> Alignment:
    """What the fake server answers; the sentence "Empty." fails alone."""
    failed = [text == "Empty." for text in item.sentences]
    maps = np.stack([fake_map(item.model, item.image, text) for text in item.sentences])
    maps[failed] = np.nan
    count = len(failed)
    return Alignment(
        maps=maps,
        opt_out=np.where(failed, np.nan, 0.05).astype(np.float32),
        local_similarity=np.linspace(0, 1, count, dtype=np.float32),
        global_similarity=np.linspace(-1, 0, count, dtype=np.float32),
        words=tuple(() if bad else tuple(text.split()) for text, bad in zip(item.sentences, failed, strict=True)),
        truncated=np.zeros(count, dtype=bool),
        errors=tuple(SentenceEmpty("nothing is left of it") if bad else None for bad in failed),
        frame=letterbox(width, height),
        model=identity(item.model),
    )


class FakeClient:
    """Answers a window of items at a time, last one first, so that nothing may rely on their order."""

    def __init__(self, answer: Callable[[AlignItem], Alignment | WronglungError] = align) -> None:
        self.answer = answer
        self.sent: list[AlignItem] = []
        self.most_waiting = 0

    def stream(
        self, items: Iterable[AlignItem], *, window: int = 16
    ) -> Iterator[tuple[str, Alignment | WronglungError]]:
        waiting: list[AlignItem] = []
        for item in items:
            self.sent.append(item)
            waiting.append(item)
            self.most_waiting = max(self.most_waiting, len(waiting))
            if len(waiting) == window:
                yield from self._answer_all(waiting)
        yield from self._answer_all(waiting)

    def _answer_all(self, waiting: list[AlignItem]) -> Iterator[tuple[str, Alignment | WronglungError]]:
        while waiting:
            item = waiting.pop()
            yield item.request_id, self.answer(item)


class DyingClient(FakeClient):
    """A server that dies after so many answers."""

    def __init__(self, answers: int) -> None:
        super().__init__()
        self.left = answers

    def stream(
        self, items: Iterable[AlignItem], *, window: int = 16
    ) -> Iterator[tuple[str, Alignment | WronglungError]]:
        for answer in super().stream(items, window=window):
            if not self.left:
                raise InternalError("gone")
            self.left -= 1
            yield answer


def write_jsonl(folder: Path, images: int) -> Path:
    """A small data set on disk, two images a patient and a sentence for each lung: its JSONL file."""
    lines = []
    for i in range(images):
        (folder / f"{i}.png").write_bytes(png(i, 64, 48))
        for side, x in (("left", 34), ("right", 4)):
            box = {"name": f"{side} lung", "box_xyxy": [x, 4, x + 26, 44], "label": "abnormal"}
            lines.append(
                {
                    "image": f"{i}.png",
                    "image_id": f"image{i}",
                    "patient_id": f"patient{i // 2}",
                    "study_id": f"study{i}",
                    "sentence_id": f"s{i}-{side}",
                    "sentence": f"There is an opacity in the {side} lung.",
                    "boxes": [box],
                }
            )
    path = folder / "data.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path
