"""The studies that are learned from: pictures at frame resolution, sentences, and what is true of each."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from harness.case import Box, Sentence, Triple
from harness.mask import BoxMask
from wronglung.geometry import Rect

Squares = npt.NDArray[np.uint8]
_NEWLINE = 10
_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Study:
    """One picture's report and truth.

    The sentences' boxes, and `image_rect`, are in pixels of the picture's square.
    """

    patient_id: str
    sentences: tuple[Sentence, ...]
    facts: frozenset[Triple] | None
    """All that is true of it; None: nobody knows more than the report (`training.truth`)."""
    image_rect: Rect
    """The part of the square that holds image; the rest is padding."""


@dataclass(frozen=True, slots=True)
class StudySet:
    """N studies and their pictures, (N, side, side) uint8: resized and padded, not yet cropped."""

    studies: Sequence[Study]
    squares: Squares


def by_patient(studies: Iterable[Study], takes: Callable[[Study], bool]) -> list[list[int]]:
    """The indices of the studies that are taken, patient by patient, in their order."""
    groups: dict[str, list[int]] = {}
    for index, study in enumerate(studies):
        if takes(study):
            groups.setdefault(study.patient_id, []).append(index)
    return list(groups.values())


class StoredStudies(Sequence[Study]):
    """The studies of a file, one JSON document a line, each read when it is asked for: those used last are kept."""

    def __init__(self, path: Path) -> None:
        """Find the lines."""
        self._bytes = np.memmap(path, np.uint8, "r")
        self._ends = np.flatnonzero(self._bytes == _NEWLINE)
        self._kept = lru_cache(_KEPT)(self._read)

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, index: int) -> Study: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Study, ...]: ...
    def __getitem__(self, index: int | slice) -> Study | tuple[Study, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        return self._kept(range(len(self))[index])

    def __iter__(self) -> Iterator[Study]:
        return map(self._read, range(len(self)))

    def _read(self, index: int) -> Study:
        start = int(self._ends[index - 1]) + 1 if index else 0
        return study_from_json(json.loads(bytes(self._bytes[start : self._ends[index]])))


def study_to_json(study: Study) -> dict[str, Any]:
    """A study as plain JSON values."""
    return {
        "patient_id": study.patient_id,
        "image_rect": study.image_rect,
        "facts": None if study.facts is None else _triples_to_json(sorted(study.facts, key=_order)),
        "sentences": [
            {
                "sentence_id": sentence.sentence_id,
                "text": sentence.text,
                "paraphrase": sentence.paraphrase,
                "negated": sentence.negated,
                "boxes": [_box_to_json(box) for box in sentence.boxes],
                "triples": _triples_to_json(sentence.triples),
                "strata": dict(sentence.strata),
            }
            for sentence in study.sentences
        ],
    }


def study_from_json(document: dict[str, Any]) -> Study:
    """The study of `study_to_json`."""
    sentences = tuple(_sentence_from_json(fields) for fields in document["sentences"])
    facts = document["facts"]
    known = None if facts is None else frozenset(_triples_from_json(facts))
    return Study(document["patient_id"], sentences, known, tuple(document["image_rect"]))


def _sentence_from_json(fields: dict[str, Any]) -> Sentence:
    boxes = tuple(_box_from_json(*box) for box in fields["boxes"])
    return Sentence(**{**fields, "boxes": boxes, "triples": _triples_from_json(fields["triples"])})


def _box_to_json(box: Box) -> list[Any]:
    return [box.name, *box.xyxy, *([box.mask.rows, box.mask.cols, box.mask.counts] if box.mask else [])]


def _box_from_json(name: str, x0: float, y0: float, x1: float, y1: float, *mask: Any) -> Box:
    return Box(name, x0, y0, x1, y1, BoxMask(*mask) if mask else None)


def _order(fact: Triple) -> tuple[str, str, bool]:
    return fact.region, fact.label, fact.context


def _triples_to_json(triples: Iterable[Triple]) -> list[list[Any]]:
    return [[triple.region, triple.label, triple.context] for triple in triples]


def _triples_from_json(rows: list[list[Any]]) -> tuple[Triple, ...]:
    return tuple(Triple(*row) for row in rows)
