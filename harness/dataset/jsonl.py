"""The JSONL data set: bring your own images, sentences and boxes.

Everything is checked here, at the border: a sentence with anything wrong about it is left out as a whole (a sentence
scored against half of its boxes would be a wrong number), and counted.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.case import Box, ImageRecord, Sentence, Triple
from harness.dataset.base import Findings, digest_records
from harness.dataset.line import Line, NamedBox, SentenceBox, parse_line
from wronglung.errors import WronglungError
from wronglung.images import header_size

COPIED_MAXIMA_SHARE = 0.5
COPIED_MAXIMA_BOXES = 20


class Unusable(ValueError):
    """A sentence or region cannot be used. `kind` is counted, the message goes to the examples."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def read_box(box: NamedBox, width: int, height: int, *, inclusive_maxima: bool = False) -> Box:
    """Check a box against its image and make it half-open.

    Raises:
        Unusable: it is empty, inside out, or reaches out of the image.
    """
    x0, y0, x1, y1 = box.box_xyxy
    if inclusive_maxima:
        x1, y1 = x1 + 1, y1 + 1
    if not (x0 < x1 and y0 < y1):
        raise Unusable("box_inside_out", f"box {box.name!r} {list(box.box_xyxy)} needs x0 < x1 and y0 < y1")
    if x0 < 0 or y0 < 0 or x1 > width or y1 > height:
        raise Unusable(
            "box_outside_image",
            f"box {box.name!r} {list(box.box_xyxy)} reaches out of the image of {width} x {height} pixels",
        )
    return Box(box.name, x0, y0, x1, y1)


def image_size(path: Path) -> tuple[int, int]:
    """Width and height of an image as a reader sees it, from its header alone.

    Raises:
        Unusable: there is no such file, or it is no image that the server reads.
    """
    try:
        return header_size(path.read_bytes())
    except OSError as error:
        raise Unusable("image_missing", f"cannot read {path}: {error.strerror}") from error
    except WronglungError as error:
        raise Unusable("image_unreadable", f"{path}: {error}") from error


@dataclass(slots=True)
class _Image:
    """An image while its lines are being gathered."""

    path: Path
    patient_id: str
    study_id: str
    width: int
    height: int
    regions: tuple[Box, ...] = ()
    sentences: list[Sentence] = field(default_factory=list)

    def record(self, image_id: str) -> ImageRecord:
        return ImageRecord(
            image_id=image_id,
            patient_id=self.patient_id,
            study_id=self.study_id,
            width=self.width,
            height=self.height,
            regions=self.regions,
            sentences=tuple(self.sentences),
            load=functools.partial(Path.read_bytes, self.path),
        )


class RecordBuilder:
    """Gathers checked lines into one record for each image, in order of first mention."""

    def __init__(self, root: Path, findings: Findings, *, inclusive_maxima: bool = False) -> None:
        self._root = root
        self._findings = findings
        self._inclusive = inclusive_maxima
        self._images: dict[str, _Image] = {}
        self._sentence_ids: set[str] = set()
        self._boxes = 0
        self._copied_maxima = 0

    def add(self, line: Line, where: str) -> None:
        """Add one sentence, or count why it is left out."""
        for key in self._unknown_keys(line):
            self._findings.warn("unknown_key", where, f"key {key!r} is not part of the format and was ignored")
        try:
            image = self._image(line)
            sentence = self._sentence(line, image)
        except Unusable as error:
            self._findings.leave_out(error.kind, where, str(error))
            return
        self._images[line.image_id] = image
        self._sentence_ids.add(line.sentence_id)
        image.sentences.append(sentence)
        if line.regions and not image.regions:
            image.regions = tuple(self._regions(line, image, where))

    def records(self) -> tuple[ImageRecord, ...]:
        """One record for each image that kept a sentence."""
        if self._boxes >= COPIED_MAXIMA_BOXES and self._copied_maxima > COPIED_MAXIMA_SHARE * self._boxes:
            self._findings.warn(
                "y1_equals_x1",
                self._root.name,
                f"{self._copied_maxima} of {self._boxes} boxes have y1 equal to x1: was x1 copied by mistake?",
            )
        return tuple(image.record(image_id) for image_id, image in self._images.items())

    def _unknown_keys(self, line: Line) -> Iterator[str]:
        yield from line.unknown_keys()
        for box in (*line.boxes, *line.regions):
            yield from box.unknown_keys()

    def _image(self, line: Line) -> _Image:
        path = self._root / line.image
        known = self._images.get(line.image_id)
        if known is None:
            return _Image(path, line.patient_id, line.study_id, *image_size(path))
        for key, mine, theirs in (
            ("image", path, known.path),
            ("patient_id", line.patient_id, known.patient_id),
            ("study_id", line.study_id, known.study_id),
        ):
            if mine != theirs:
                raise Unusable("image_contradicts", f"{key} differs from an earlier line of image {line.image_id!r}")
        return known

    def _sentence(self, line: Line, image: _Image) -> Sentence:
        if line.sentence_id in self._sentence_ids:
            raise Unusable("sentence_id_repeated", f"sentence_id {line.sentence_id!r} was used before")
        if not line.sentence.strip():
            raise Unusable("sentence_blank", "the sentence has no characters but spaces")
        boxes = [self._box(box, image) for box in line.boxes]
        return Sentence(
            sentence_id=line.sentence_id,
            text=line.sentence,
            boxes=tuple(dict.fromkeys(boxes)),
            triples=tuple(dict.fromkeys(_triple(box) for box in line.boxes if box.label)),
            negated=line.negated,
            strata=dict(sorted(line.strata.items())),
        )

    def _regions(self, line: Line, image: _Image, where: str) -> Iterator[Box]:
        for region in line.regions:
            try:
                yield self._box(region, image)
            except Unusable as error:
                self._findings.leave_out(f"region_{error.kind}", where, str(error))

    def _box(self, box: NamedBox, image: _Image) -> Box:
        self._boxes += 1
        self._copied_maxima += box.box_xyxy[2] == box.box_xyxy[3]
        return read_box(box, image.width, image.height, inclusive_maxima=self._inclusive)


def _triple(box: SentenceBox) -> Triple:
    return Triple(box.name, box.label, box.context)


class RecordedDataset:
    """A data set whose records are known: about one kilobyte of memory for each sentence, images stay on disk."""

    def __init__(self, name: str, records: tuple[ImageRecord, ...], findings: Findings) -> None:
        self.name = name
        self.findings = findings
        self.digest = digest_records(records)
        self._records = records

    def __iter__(self) -> Iterator[ImageRecord]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)


def open_jsonl(path: Path, *, inclusive_maxima: bool = False) -> RecordedDataset:
    """Read and check a JSONL file; image paths are relative to its folder.

    Args:
        path: the file.
        inclusive_maxima: the file's x1 and y1 name the last pixel inside: 1 is added to them.

    Raises:
        FileNotFoundError: there is no such file.
    """
    findings = Findings()
    builder = RecordBuilder(path.parent, findings, inclusive_maxima=inclusive_maxima)
    with path.open("rb") as file:
        for number, data in enumerate(file, start=1):
            where = f"line {number}"
            if not data.strip():
                continue
            try:
                builder.add(parse_line(data), where)
            except UnicodeDecodeError as error:
                findings.leave_out("bad_utf8", where, f"byte {error.start} is not UTF-8: save the file as UTF-8")
            except ValueError as error:
                findings.leave_out("bad_line", where, str(error))
    return RecordedDataset(f"jsonl:{path.stem}", builder.records(), findings)
