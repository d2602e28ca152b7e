"""What is to be asked of the server for one image: its cases, and the requests that answer them."""

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from harness.case import Case, ImageRecord
from harness.perturbation.base import Perturbation
from wronglung.errors import WronglungError
from wronglung.limits import LIMITS


@dataclass(frozen=True, slots=True)
class ImagePlan:
    """One image of the data set with every case of every perturbation, perturbation by perturbation."""

    index: int
    """Position of the image in the data set."""
    record: ImageRecord
    cases: tuple[Case, ...]


@dataclass(slots=True)
class SharedImage:
    """Loads an image once for several requests and forgets the bytes when the last has taken them (a request that is
    sent again loads it again). Requests to several servers take it in several threads."""

    load: Callable[[], bytes]
    uses: int
    sha256: str = ""
    """Digest of the bytes, in hex; empty until they were loaded."""
    _data: bytes | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def __call__(self) -> bytes:
        """The encoded image."""
        with self._lock:
            self.uses -= 1
            data = self.load() if self._data is None else self._data
            if not self.sha256:
                self.sha256 = hashlib.sha256(data).hexdigest()
            self._data = data if self.uses > 0 else None
            return data

    def note_digest(self) -> None:
        """Stand in for a request that needs no bytes: it leaves the digest, by which rows of two models or runs are
        known to be of one image. An image that cannot be read leaves none."""
        with contextlib.suppress(OSError, WronglungError):
            self()


@dataclass(frozen=True, slots=True)
class Shipment:
    """One request: one encoded image, one model, the distinct sentences that are asked of it."""

    request_id: str
    index: int
    image_id: str
    model: str
    sentences: tuple[str, ...]
    size: tuple[int, int]
    """Width and height of the image in pixels."""
    image: SharedImage = field(repr=False, compare=False)


def make_plan(index: int, record: ImageRecord, perturbations: Sequence[Perturbation]) -> ImagePlan:
    """Every case of one image."""
    return ImagePlan(index, record, tuple(case for p in perturbations for case in p.cases(record)))


def shipments(plan: ImagePlan, models: Sequence[str]) -> Iterator[Shipment]:
    """The requests of one image: all perturbations of its sentences travel together, each text once, in a fixed order;
    more than the contract allows in one request are split. A perturbed image is a request of its own."""
    variants: dict[str, tuple[ImageRecord, dict[str, None]]] = {}
    for case in plan.cases:
        if case.applicable and case.sends == "text":
            _, texts = variants.setdefault(case.image.image_id, (case.image, {}))
            texts[case.text] = None
    for v, (record, texts) in enumerate(variants.values()):
        chunks = list(_chunks(tuple(texts)))
        image = SharedImage(record.load, uses=len(chunks) * len(models))
        for c, chunk in enumerate(chunks):
            for m, model in enumerate(models):
                request_id = f"image-{plan.index}.{v}.{c}.{m}"
                size = record.width, record.height
                yield Shipment(request_id, plan.index, record.image_id, model, chunk, size, image)


def _chunks(texts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """As many texts to a request as the contract allows. A text that is too long would fail its whole request, and so
    gets one of its own."""
    fitting = [text for text in texts if len(text) <= LIMITS.sentence_characters]
    for start in range(0, len(fitting), LIMITS.sentences):
        yield tuple(fitting[start : start + LIMITS.sentences])
    yield from ((text,) for text in texts if len(text) > LIMITS.sentence_characters)
