"""Annotations become sentences: those of one image that say the same belong together, and stand or fall together."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from harness.dataset.base import Findings
from harness.dataset.checks import Unusable, image_size
from harness.dataset.finding import Place, finding_boxes, is_abnormal, plain_name
from harness.dataset.line import Line, explain
from harness.dataset.records import RecordBuilder
from wronglung.limits import LIMITS

Xyxy = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Source:
    """The image that sentences are about."""

    path: str
    """Relative to the folder of images."""
    patient_id: str
    study_id: str
    size: tuple[int, int] | None = None
    """Width and height that the annotators saw, if the data set says."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One place of a sentence, and what is there."""

    place: Place
    finding: str
    abnormal: bool


@dataclass(slots=True)
class Phrase:
    """What one image's annotations say in the same words."""

    image_id: str
    number: int
    """Its place among the image's sentences."""
    text: str
    where: str
    """Where the first of its annotations stands."""
    finding: str
    """What its first annotation finds."""
    abnormal: bool
    strata: dict[str, str] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)
    spoiled: bool = False

    def line(self, source: Source) -> Line:
        """The sentence in our own format.

        Raises:
            Unusable: it has no words, or one of its boxes no finding.
            ValidationError: an id or path is empty.
        """
        if not all(plain_name(mark.finding) for mark in self.marks):
            raise Unusable("finding_blank", "the annotation has a box and names no finding")
        if not self.text.strip():
            raise Unusable("sentence_blank", "the sentence has no characters but spaces")
        return Line(
            image=source.path,
            image_id=self.image_id,
            patient_id=source.patient_id,
            study_id=source.study_id,
            sentence_id=f"{self.image_id}|{self.number}",
            sentence=self.text,
            boxes=tuple(
                box for mark in self.marks for box in finding_boxes(mark.finding, mark.place, abnormal=mark.abnormal)
            ),
            strata={"finding": plain_name(self.finding), **self.strata},
        )


class Phrases:
    """Gathers annotations, in order of first mention. If one of a sentence's is wrong the sentence is left out."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._found: dict[tuple[str, str], Phrase] = {}
        self._numbers: Counter[str] = Counter()

    def phrase(
        self,
        image_id: str,
        text: str,
        where: str,
        *,
        finding: str,
        abnormal: bool | None = None,
        strata: Mapping[str, str] | None = None,
    ) -> Phrase:
        """The sentence that an annotation belongs to.

        Args:
            image_id: of the image.
            text: the sentence.
            where: where the annotation stands.
            finding: what is found; the first annotation of a sentence gives it to the stratum `finding`.
            abnormal: whether it is abnormal; None: by its name.
            strata: labels to split results by.
        """
        key = image_id, text
        if key not in self._found:
            number = self._numbers[image_id]
            self._numbers[image_id] += 1
            abnormal = is_abnormal(finding) if abnormal is None else abnormal
            self._found[key] = Phrase(image_id, number, text, where, finding, abnormal, dict(strata or {}))
        return self._found[key]

    @contextmanager
    def guard(self, phrase: Phrase, where: str) -> Iterator[None]:
        """What is `Unusable` within is counted, and its sentence left out."""
        try:
            yield
        except Unusable as error:
            self.spoil(phrase, where, error)

    def add_place(self, phrase: Phrase, place: Place, where: str, finding: str = "") -> None:
        """Add a box to a sentence, of what the sentence finds or of another finding that it names as well; a box that
        the sentence has already is odd, and changes nothing."""
        other = finding and finding != phrase.finding
        mark = Mark(place, finding, is_abnormal(finding)) if other else Mark(place, phrase.finding, phrase.abnormal)
        if mark in phrase.marks:
            self._findings.warn("box_repeated", where, "the same box of the same sentence was read before")
        else:
            phrase.marks.append(mark)

    def spoil(self, phrase: Phrase, where: str, error: Unusable) -> None:
        """Count what is wrong with an annotation, and leave its sentence out."""
        self._findings.leave_out(error.kind, where, str(error))
        phrase.spoiled = True

    def __iter__(self) -> Iterator[Phrase]:
        return (phrase for phrase in self._found.values() if not phrase.spoiled)

    def add_to(self, builder: RecordBuilder, root: Path, source_of: Callable[[str], Source]) -> None:
        """Give every whole sentence to a builder; `source_of` knows the image under `root` by its id."""
        for phrase in self:
            source = source_of(phrase.image_id)
            try:
                _check_size(root / source.path, source.size)
                builder.add(phrase.line(source), phrase.where)
            except Unusable as error:
                self._findings.leave_out(error.kind, phrase.where, str(error))
            except ValidationError as error:
                self._findings.leave_out("bad_line", phrase.where, explain(error))


def _check_size(path: Path, size: tuple[int, int] | None) -> None:
    """Boxes drawn on an image of another size lie elsewhere in this one."""
    if size is not None and image_size(path) != size:
        actual, told = (" x ".join(map(str, each)) for each in (image_size(path), size))
        raise Unusable("image_size_contradicts", f"{path} has {actual} pixels, was annotated at {told}")


def number(values: Mapping[str, str], column: str) -> float:
    """A number of a table's row.

    Raises:
        Unusable: it is none, or larger than any image.
    """
    try:
        value = float(values[column])
    except ValueError:
        value = math.nan
    if not abs(value) <= LIMITS.image_pixels:
        raise Unusable("bad_number", f"{column} is no number that a pixel can have")
    return value


def from_sizes(x: float, y: float, width: float, height: float) -> Xyxy:
    """[x0, y0, x1, y1] of a box that is given by its corner and its size."""
    return x, y, settled(x + width), settled(y + height)


def settled(value: float) -> float:
    """A computed coordinate without the last digits: a sum or product that should meet the image's edge meets it."""
    return round(value, 6)
