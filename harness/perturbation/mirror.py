"""The image flipped left to right, with or without the sentence swapped."""

import dataclasses
import functools
import io
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from harness.case import Box, Case, ImageRecord, Sentence
from harness.perturbation.base import not_applicable
from harness.perturbation.swap import NO_COUNTERPART, names_middle_lobe, swap_sides
from wronglung.images import decode


def mirror_box(box: Box, width: int) -> Box:
    """The box around the same pixels after an image of `width` pixels was flipped left to right."""
    mask = box.mask and box.mask.mirrored()
    return Box(box.name, width - box.x1, box.y0, width - box.x0, box.y1, mask)


def mirror_png(load: Callable[[], bytes]) -> bytes:
    """The loaded image flipped left to right, as a grey PNG of the same depth."""
    buffer = io.BytesIO()
    Image.fromarray(decode(load())[:, ::-1].copy()).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()


def mirror_record(record: ImageRecord) -> ImageRecord:
    """The same study flipped left to right; boxes keep their names, as they keep their pixels."""
    return dataclasses.replace(
        record,
        image_id=f"{record.image_id}#mirrored",
        regions=tuple(mirror_box(box, record.width) for box in record.regions),
        load=functools.partial(mirror_png, record.load),
    )


@dataclass(frozen=True, slots=True)
class Mirror:
    """`mirror_image`: the flipped image, text as it is. `mirror_both`: the sentence swapped too, where it can be."""

    name: str
    swap_text: bool

    def cases(self, record: ImageRecord) -> tuple[Case, ...]:
        """Every sentence on the flipped image, against flipped boxes."""
        flipped = mirror_record(record)
        return tuple(self._case(record, flipped, sentence) for sentence in record.sentences)

    def _case(self, record: ImageRecord, flipped: ImageRecord, sentence: Sentence) -> Case:
        if self.swap_text and names_middle_lobe(sentence.text):
            return not_applicable(record, sentence, self.name, NO_COUNTERPART)
        return Case(
            image=flipped,
            sentence=sentence,
            perturbation=self.name,
            text=swap_sides(sentence.text) if self.swap_text else sentence.text,
            boxes=tuple(mirror_box(box, record.width) for box in sentence.boxes),
        )
