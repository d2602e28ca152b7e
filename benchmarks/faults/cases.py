"""What is asked, and what is right: answers of the same weights in this process, which never served anybody."""

import io
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from PIL import Image

from harness.case import ImageRecord
from harness.dataset.phantom import PhantomDataset
from wronglung import images
from wronglung.alignment import Alignment
from wronglung.home import project_home
from wronglung.model import load_model

_HEAVY_SIDE = 3000
ARRAYS = ("maps", "opt_out", "local_similarity", "global_similarity", "truncated")


@dataclass(frozen=True, slots=True)
class Case:
    """A request with its answer."""

    model: str
    image: bytes
    sentences: tuple[str, ...]
    expected: Alignment

    def is_right(self, answer: Alignment) -> bool:
        """Whether an answer is the expected one, bit for bit, by the same weights."""
        want = self.expected
        arrays = all(getattr(answer, name).tobytes() == getattr(want, name).tobytes() for name in ARRAYS)
        shapes = answer.maps.shape == want.maps.shape
        words = (answer.words, answer.frame, answer.errors) == (want.words, want.frame, (None,) * len(self.sentences))
        weights = (answer.model.name, answer.model.weights_digest) == (self.model, want.model.weights_digest)
        return arrays and shapes and words and weights


def make_heavy_cases(models: Sequence[str]) -> list[Case]:
    """A study of 9 megapixels for each model: reading it takes memory that a worker does not have lying about."""
    (record,) = itertools.islice(PhantomDataset(seed=8, split="test", patients=1), 1)
    pixels = Image.fromarray(images.decode(record.load())).resize((_HEAVY_SIDE, _HEAVY_SIDE))
    with io.BytesIO() as file:
        pixels.save(file, "PNG")
        heavy = replace(record, load=file.getvalue)
        return [case for model in models for case in _cases_of(model, [heavy])]


def make_cases(models: Sequence[str], studies: int) -> list[Case]:
    """Phantom studies with their own sentences, each for every model."""
    records = list(itertools.islice(PhantomDataset(seed=7, split="test", patients=studies), studies))
    return [case for model in models for case in _cases_of(model, records)]


def _cases_of(model: str, records: Sequence[ImageRecord]) -> list[Case]:
    engine = load_model(project_home() / "model_store" / model)
    cases = []
    for record in records:
        image, texts = record.load(), [sentence.text for sentence in record.sentences]
        (alignment,) = engine.align([images.decode(image)], [texts])
        cases.append(Case(model, image, tuple(texts), alignment))
    return cases
