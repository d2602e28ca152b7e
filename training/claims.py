"""Batches for grounding: images with all their sentences, and what is known of every pair.

Shapes: B images, S claims of the whole batch, N regions.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from harness.case import Sentence
from harness.laterality import mirrored_name
from harness.metrics.coverage import even_edges, pack, union_areas
from harness.metrics.label import exact_boxes
from harness.perturbation.swap import names_middle_lobe, sides_named, swap_sides
from training.domain import Crop, DomainConfig, Picture, centre_crop, develop, draw_crop
from training.studies import Study, StudySet, by_patient
from training.truth import true_pairs
from wronglung.model.config import PreprocessConfig

_MIDDLE_LOBE = re.compile(r"\bmiddle[- ]lobes?\b", re.IGNORECASE)


class Claim(NamedTuple):
    """A sentence of the batch."""

    image: int
    """Of the image in whose report it stands: the row of the batch."""
    sentence: Sentence
    exchanged: bool
    """Whether its left and right have been exchanged, so that it stands in no report."""


class GroundingBatch(NamedTuple):
    """B images of as many patients, with S claims."""

    frames_BHW: Tensor
    """Normalised frames."""
    claims: list[Claim]
    visible_BS: Tensor
    """bool: the claim is true of the image and no denial, so there is something to look at."""
    places_SN: Tensor
    """Share of each region in the area of the claim's boxes on its own image; rows sum to 1, or are 0: nobody says
    where."""

    @property
    def images_S(self) -> Tensor:
        """The row of each claim's image."""
        return torch.tensor([claim.image for claim in self.claims], device=self.visible_BS.device)

    @property
    def exchanged_S(self) -> Tensor:
        """bool: which claims had their left and right exchanged."""
        return torch.tensor([claim.exchanged for claim in self.claims], device=self.visible_BS.device)

    @property
    def denials_S(self) -> Tensor:
        """bool: which claims deny something."""
        return torch.tensor([claim.sentence.negated for claim in self.claims], device=self.visible_BS.device)


@dataclass(frozen=True, slots=True)
class Sizes:
    """What batches are made of."""

    images: int
    """Studies per batch."""
    sentences: int
    """The most sentences of one study in a batch."""
    side: int
    """Side of the frames, in pixels."""
    grid_side: int
    """Rows (and columns) of the regions."""


def has_no_mirror(sentence: Sentence) -> bool:
    """Whether it speaks of the middle lobe, which only the right lung has."""
    return names_middle_lobe(sentence.text) or _MIDDLE_LOBE.search(sentence.text) is not None


def exchange_sides(sentence: Sentence) -> Sentence | None:
    """The sentence about the other side, in words and in truth, without boxes; None if it does not name just one."""
    if len(sides_named(sentence.text)) != 1 or has_no_mirror(sentence):
        return None
    triples = tuple(
        replace(triple, region=mirrored_name(triple.region) or triple.region) for triple in sentence.triples
    )
    return replace(sentence, text=swap_sides(sentence.text), triples=triples, boxes=())


class GroundingBatches:
    """Draws batches; no two studies of one are of the same patient.

    Args:
        study_set: pictures and reports.
        preprocess: frame size and normalisation.
        sizes: of a batch.
        domain: how far training pictures are from those rendered.
        boxed: ids of the sentences whose boxes may be looked at; None: all. Else a quarter of each batch are studies
            that have such a sentence.
        exchange: makes a sentence's hard negative, if it has one.
    """

    def __init__(
        self,
        study_set: StudySet,
        preprocess: PreprocessConfig,
        sizes: Sizes,
        domain: DomainConfig,
        boxed: frozenset[str] | None = None,
        exchange: Callable[[Sentence], Sentence | None] = exchange_sides,
    ) -> None:
        self._set, self._preprocess, self._sizes = study_set, preprocess, sizes
        self._domain, self._boxed, self._exchange = domain, boxed, exchange
        self._patients = by_patient(study_set.studies, lambda study: bool(study.sentences))
        self._boxed_patients = by_patient(study_set.studies, self._has_boxes) if boxed else []

    def training(self, rng: np.random.Generator) -> Iterator[GroundingBatch]:
        """The batches of one pass over the shuffled patients, with pictures that are cropped and developed anew."""
        size = self._preprocess.longer_side, self._preprocess.crop, self._sizes.side
        for group in self._groups(rng):
            crops = [draw_crop(*size, self._domain, rng) for _ in group]
            pictures = [develop(self._cut(i, crop), self._domain, rng) for i, crop in zip(group, crops, strict=True)]
            yield self._assemble(group, crops, pictures, rng)

    def validation(self, seed: int, rounds: int) -> Iterator[GroundingBatch]:
        """The same batches at every call: `rounds` passes over the patients, pictures as they are served."""
        rng = np.random.default_rng(seed)
        crop = centre_crop(self._preprocess.longer_side, self._preprocess.crop, self._sizes.side)
        for _ in range(rounds):
            for group in self._groups(rng):
                yield self._assemble(group, [crop] * len(group), [self._cut(i, crop) for i in group], rng)

    def _groups(self, rng: np.random.Generator) -> Iterator[list[int]]:
        """One study of each patient, in full batches; the last patients of a pass are left out if they fill none."""
        order, images = rng.permutation(len(self._patients)).tolist(), self._sizes.images
        for start in range(0, len(order) - images + 1, images):
            group = [int(rng.choice(self._patients[patient])) for patient in order[start : start + images]]
            yield self._with_boxes(group, rng)

    def _with_boxes(self, group: list[int], rng: np.random.Generator) -> list[int]:
        """Some of the studies exchanged for ones with boxes, where few have any."""
        few = min(len(group) // 4, len(self._boxed_patients))
        if not few:
            return group
        drawn = rng.choice(len(self._boxed_patients), few, replace=False).tolist()
        chosen = [int(rng.choice(self._boxed_patients[index])) for index in drawn]
        patients = {self._set.studies[index].patient_id for index in chosen}
        others = [index for index in group if self._set.studies[index].patient_id not in patients]
        return [*chosen, *others[: len(group) - few]]

    def _cut(self, index: int, crop: Crop) -> Picture:
        return crop.cut(self._set.squares[index])

    def _assemble(
        self, group: Sequence[int], crops: Sequence[Crop], pictures: Sequence[Picture], rng: np.random.Generator
    ) -> GroundingBatch:
        studies = [self._set.studies[index] for index in group]
        claims = [claim for row, study in enumerate(studies) for claim in self._claims(row, study, rng)]
        frames = (np.stack(pictures) - self._preprocess.mean) / self._preprocess.std
        return GroundingBatch(
            torch.from_numpy(frames.astype(np.float32)), claims, visible(studies, claims), self._places(claims, crops)
        )

    def _claims(self, row: int, study: Study, rng: np.random.Generator) -> Iterator[Claim]:
        """Sentences of the report, each followed by its exchanged self unless it is a denial.

        Of a patient only what is abnormal is exchanged: that the other side is clear too need not be written down.
        """
        for index in rng.permutation(len(study.sentences))[: self._sizes.sentences].tolist():
            sentence = study.sentences[index]
            yield Claim(row, sentence, exchanged=False)
            known = study.facts is not None or sentence.abnormal
            other = self._exchange(sentence) if known and not sentence.negated else None
            if other is not None:
                yield Claim(row, other, exchanged=True)

    def _places(self, claims: Sequence[Claim], crops: Sequence[Crop]) -> Tensor:
        boxes = [
            exact_boxes(claim.sentence.boxes, crops[claim.image]) if self._is_boxed(claim.sentence) else []
            for claim in claims
        ]
        edges = even_edges(self._sizes.side, self._sizes.grid_side)
        return torch.from_numpy(_shares(union_areas(pack(boxes), edges, edges).reshape(len(claims), -1)))

    def _has_boxes(self, study: Study) -> bool:
        return any(map(self._is_boxed, study.sentences))

    def _is_boxed(self, sentence: Sentence) -> bool:
        return self._boxed is None or sentence.sentence_id in self._boxed


def visible(studies: Sequence[Study], claims: Sequence[Claim]) -> Tensor:
    """(B, S) bool: whether there is something to look at (`GroundingBatch.visible_BS`)."""
    sentences = [claim.sentence for claim in claims]
    denials_S = torch.tensor([sentence.negated for sentence in sentences])
    return torch.tensor(true_pairs(studies, sentences)) & ~denials_S


def _shares(areas_SN: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Each row divided by its sum; a row of zeros stays."""
    total_S1 = areas_SN.sum(1, keepdims=True)
    shares = np.divide(areas_SN, total_S1, out=np.zeros_like(areas_SN), where=total_S1 > 0)
    return np.asarray(shares, dtype=np.float32)
