"""The studies that are learned from: pictures at frame resolution, sentences, and what is true of each."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from harness.case import Box, Sentence, Triple
from harness.dataset.phantom import PhantomDataset, PhantomStudy, mirror
from wronglung.geometry import Frame, Rect, letterbox
from wronglung.model.preprocess import stretch_range, to_square

Squares = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Study:
    """One picture's report and truth. `facts` decides which sentences of other studies are true of it too.

    The sentences' boxes, and `image_rect`, are in pixels of the picture's square.
    """

    patient_id: str
    sentences: tuple[Sentence, ...]
    facts: frozenset[Triple]
    image_rect: Rect
    """The part of the square that holds image; the rest is padding."""


@dataclass(frozen=True, slots=True)
class StudySet:
    """N studies and their pictures, (N, side, side) uint8: resized and padded, not yet cropped."""

    studies: tuple[Study, ...]
    squares: Squares


def load_studies(
    dataset: PhantomDataset, *, side: int, stretch: bool, mirrored: bool, cache: Path, workers: int = 2
) -> StudySet:
    """Render a data set once, or read what an earlier call left in the cache.

    Args:
        dataset: the phantom patients.
        side: side of the padded square.
        stretch: stretch each picture's own range first.
        mirrored: add every study's mirror image, with sides exchanged in words and truth.
        cache: folder for the rendered pictures.
        workers: rendering processes.
    """
    folder = cache / f"{dataset.digest[:16]}-{side}{'-stretched' * stretch}{'-mirrored' * mirrored}-boxes"
    if not (folder / "studies.json").exists():
        _render(dataset, folder, partial(_render_one, dataset, side, stretch, mirrored), workers)
    squares: Squares = np.load(folder / "squares.npy", mmap_mode="r")
    documents = json.loads((folder / "studies.json").read_text(encoding="utf-8"))
    return StudySet(tuple(_study_from_json(document) for document in documents), squares)


def _render(
    dataset: PhantomDataset, folder: Path, render: "partial[list[tuple[Study, Squares]]]", workers: int
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with get_context("spawn").Pool(workers) as pool:
        chunks = pool.imap(render, range(len(dataset)), chunksize=16)
        rendered = [pair for pairs in tqdm(chunks, "rendering", len(dataset), unit="study") for pair in pairs]
    np.save(folder / "squares.npy", np.stack([square for _, square in rendered]))
    # Last, so that a run that was cut off renders again.
    (folder / "studies.json").write_text(json.dumps([_study_to_json(study) for study, _ in rendered]), encoding="utf-8")


def _render_one(
    dataset: PhantomDataset, side: int, stretch: bool, mirrored: bool, index: int
) -> list[tuple[Study, Squares]]:
    study = dataset.study(index)
    views = [study, mirror(study)] if mirrored else [study]
    return [_picture(view, side, stretch) for view in views]


def _picture(study: PhantomStudy, side: int, stretch: bool) -> tuple[Study, Squares]:
    frame = letterbox(study.record.width, study.record.height, longer_side=side, crop=side)
    pixels = stretch_range(study.pixels) if stretch else study.pixels
    sentences = tuple(_in_square(sentence, frame) for sentence in study.record.sentences)
    described = Study(study.record.patient_id, sentences, study.facts, frame.image_rect)
    return described, to_square(pixels, frame, side).astype(np.uint8)


def _in_square(sentence: Sentence, frame: Frame) -> Sentence:
    return replace(sentence, boxes=tuple(Box(box.name, *frame.to_frame(box.xyxy)) for box in sentence.boxes))


def _study_to_json(study: Study) -> dict[str, Any]:
    return {
        "patient_id": study.patient_id,
        "image_rect": study.image_rect,
        "facts": _triples_to_json(sorted(study.facts, key=lambda fact: (fact.region, fact.label, fact.context))),
        "sentences": [
            {
                "sentence_id": sentence.sentence_id,
                "text": sentence.text,
                "negated": sentence.negated,
                "boxes": [[box.name, *box.xyxy] for box in sentence.boxes],
                "triples": _triples_to_json(sentence.triples),
                "strata": dict(sentence.strata),
            }
            for sentence in study.sentences
        ],
    }


def _study_from_json(document: dict[str, Any]) -> Study:
    sentences = tuple(_sentence_from_json(fields) for fields in document["sentences"])
    facts = frozenset(_triples_from_json(document["facts"]))
    return Study(document["patient_id"], sentences, facts, tuple(document["image_rect"]))


def _sentence_from_json(fields: dict[str, Any]) -> Sentence:
    boxes = tuple(Box(*box) for box in fields["boxes"])
    return Sentence(**{**fields, "boxes": boxes, "triples": _triples_from_json(fields["triples"])})


def _triples_to_json(triples: Sequence[Triple]) -> list[list[Any]]:
    return [[triple.region, triple.label, triple.context] for triple in triples]


def _triples_from_json(rows: list[list[Any]]) -> tuple[Triple, ...]:
    return tuple(Triple(*row) for row in rows)
