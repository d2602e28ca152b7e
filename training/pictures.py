"""One record of a data set → its picture at frame resolution, its sentences, and what is true of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from harness.case import Box, ImageRecord, Sentence, Triple
from harness.dataset.phantom import PhantomDataset, PhantomStudy, mirror
from harness.dataset.phantom.regions import mirrored
from harness.perturbation.mirror import mirror_box
from harness.perturbation.swap import swap_sides
from training.claims import has_no_mirror
from training.studies import Study
from wronglung.errors import ImageError
from wronglung.geometry import Frame, letterbox
from wronglung.images import decode
from wronglung.model.preprocess import Pixels, stretch_range, to_square

Square = npt.NDArray[np.uint8]


class Developed(NamedTuple):
    """One picture, ready to learn from."""

    study: Study
    square: Square
    """(side, side): resized and padded, not yet cropped."""


class Undeveloped(NamedTuple):
    """A record whose picture cannot be used, and why."""

    kind: str
    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Darkroom:
    """How pictures are developed."""

    side: int
    """Side of the padded square in pixels."""
    stretch: bool
    """Stretch each picture's own range first."""
    mirrored: bool
    """Give every study's mirror image too, with sides exchanged in words and truth."""

    def phantom(self, dataset: PhantomDataset, index: int) -> list[Developed]:
        """The views of a phantom; its letters stay readable when it is mirrored."""
        study = dataset.study(index)
        views = [study, mirror(study)] if self.mirrored else [study]
        return [self._phantom(view) for view in views]

    def record(self, record: ImageRecord) -> list[Developed] | Undeveloped:
        """The views of any record, its picture read by the project's own readers.

        In the mirror image letters that are burnt in are mirrored too. Sentences that name the right middle lobe, which
        has no counterpart, are left out there.
        """
        try:
            pixels = decode(record.load())
        except ImageError as error:
            return Undeveloped("image_unreadable", record.image_id, str(error))
        except OSError as error:
            return Undeveloped("image_missing", record.image_id, f"cannot read it: {error.strerror or error}")
        if pixels.shape != (record.height, record.width):
            size = f"it has {pixels.shape[1]} x {pixels.shape[0]} pixels, its boxes were drawn on {record.width} x"
            return Undeveloped("image_resized", record.image_id, f"{size} {record.height}")
        own = self._develop(record, record.sentences, pixels, None)
        if not self.mirrored:
            return [own]
        sentences = [_mirror(s, record.width) for s in record.sentences if not has_no_mirror(s)]
        flipped: Pixels = np.ascontiguousarray(pixels[:, ::-1])  # type: ignore[assignment]
        return [own, self._develop(record, sentences, flipped, None)]

    def _phantom(self, view: PhantomStudy) -> Developed:
        return self._develop(view.record, view.record.sentences, view.pixels, view.facts)

    def _develop(
        self, record: ImageRecord, sentences: Sequence[Sentence], pixels: Pixels, facts: frozenset[Triple] | None
    ) -> Developed:
        frame = letterbox(record.width, record.height, longer_side=self.side, crop=self.side)
        study = Study(record.patient_id, tuple(_in_square(s, frame) for s in sentences), facts, frame.image_rect)
        square = to_square(stretch_range(pixels) if self.stretch else pixels, frame, self.side)
        return Developed(study, _to_bytes(square))


def _to_bytes(square: Pixels) -> Square:
    """The same shares of the full range in 8 bits, rounded."""
    if square.dtype == np.uint8:
        return square.astype(np.uint8)
    return np.rint(square / 257).astype(np.uint8)


def _mirror(sentence: Sentence, width: int) -> Sentence:
    return replace(
        sentence,
        sentence_id=f"{sentence.sentence_id}-mirrored",
        text=swap_sides(sentence.text),
        paraphrase=swap_sides(sentence.paraphrase),
        boxes=tuple(replace(mirror_box(box, width), name=mirrored(box.name)) for box in sentence.boxes),
        triples=tuple(replace(triple, region=mirrored(triple.region)) for triple in sentence.triples),
    )


def _in_square(sentence: Sentence, frame: Frame) -> Sentence:
    return replace(sentence, boxes=tuple(Box(b.name, *frame.to_frame(b.xyxy), b.mask) for b in sentence.boxes))
