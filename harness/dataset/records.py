"""Lines become records: the reader of any format maps its rows to `Line`s and gives them to a `RecordBuilder`.

Everything is checked here, at the border: a sentence with anything wrong about it is left out as a whole (a sentence
scored against half of its boxes would be a wrong number), and counted.
"""

import functools
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.case import Box, ImageRecord, Sentence, Triple
from harness.dataset.base import Findings, digest_records
from harness.dataset.checks import CopiedMaxima, Unusable, image_size, note_patients_left_out, read_box
from harness.dataset.line import Line, NamedBox, SentenceBox


@dataclass(slots=True)
class _Image:
    """An image while its lines are being gathered."""

    path: Path
    patient_id: str
    study_id: str
    width: int
    height: int
    regions: tuple[Box, ...] = ()
    told: int | None = None
    """Hash of the regions as they were told; None: not yet."""
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

    def __init__(
        self,
        root: Path,
        findings: Findings,
        *,
        inclusive_maxima: bool = False,
        seen_patients: Set[str] = frozenset(),
        copied_maxima: CopiedMaxima | None = None,
    ) -> None:
        """Build records of the images under `root`; what is left out is noted in `findings`.

        Args:
            root: the folder that the lines' image paths are relative to.
            findings: where to count.
            inclusive_maxima: the boxes' x1 and y1 name the last pixel inside: 1 is added to them.
            seen_patients: ids of patients whose images are left out: a model was finetuned on them.
            copied_maxima: shared by builders of one data set; the caller then tells what it noticed.
        """
        self._root = root
        self._findings = findings
        self._inclusive = inclusive_maxima
        self._seen = seen_patients
        self._met: set[str] = set()
        self._images: dict[str, _Image] = {}
        self._sentence_ids: set[str] = set()
        self._tell = copied_maxima is None
        self._copied_maxima = copied_maxima or CopiedMaxima()

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
        self._note_oddities(line, sentence, where)
        if line.regions:
            self._add_regions(line, image, where)

    def records(self) -> tuple[ImageRecord, ...]:
        """One record for each image that kept a sentence."""
        if self._tell:
            self._copied_maxima.tell(self._findings, self._root.name)
            note_patients_left_out(self._seen, self._met, self._findings)
        return tuple(image.record(image_id) for image_id, image in self._images.items())

    def _note_oddities(self, line: Line, sentence: Sentence, where: str) -> None:
        """What nobody writes on purpose, but can be used."""
        for triple in sentence.triples:
            if triple.context and replace(triple, context=False) in sentence.triples:
                message = f"{triple.label!r} of box {triple.region!r} is said to be there and not to be there"
                self._findings.warn("statement_contradicts", where, message)
        self._note_shares(line.boxes, where)

    def _note_shares(self, boxes: Iterable[NamedBox], where: str) -> None:
        if any(max(box.box_xyxy) <= 1 for box in boxes):
            message = "a box lies within the first pixel: coordinates are pixels, not shares of the image"
            self._findings.warn("box_within_a_pixel", where, message)

    def _unknown_keys(self, line: Line) -> Iterator[str]:
        yield from line.unknown_keys()
        for box in (*line.boxes, *line.regions):
            yield from box.unknown_keys()

    def _image(self, line: Line) -> _Image:
        if line.patient_id in self._seen:
            self._met.add(line.patient_id)
            raise Unusable("patient_in_finetuning_set", f"a model was finetuned on patient {line.patient_id!r}")
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
        if line.paraphrase and not line.paraphrase.strip():
            raise Unusable("paraphrase_blank", "the second wording has no characters but spaces: leave the key out")
        boxes = [self._box(box, image) for box in line.boxes]
        return Sentence(
            sentence_id=line.sentence_id,
            text=line.sentence,
            boxes=tuple(dict.fromkeys(boxes)),
            triples=tuple(dict.fromkeys(_triple(box) for box in line.boxes if box.label)),
            negated=line.negated,
            strata=dict(sorted(line.strata.items())),
            paraphrase=line.paraphrase,
        )

    def _add_regions(self, line: Line, image: _Image, where: str) -> None:
        """The first line that has some counts; others may repeat them."""
        told = hash(line.regions)
        if image.told is None:
            image.told = told
            self._note_shares(line.regions, where)
            image.regions = tuple(self._regions(line, image, where))
        elif image.told != told:
            message = f"the regions of image {line.image_id!r} differ from those of an earlier line, which count"
            self._findings.leave_out("regions_contradict", where, message)

    def _regions(self, line: Line, image: _Image, where: str) -> Iterator[Box]:
        for region in line.regions:
            try:
                yield self._box(region, image)
            except Unusable as error:
                self._findings.leave_out(f"region_{error.kind}", where, str(error))

    def _box(self, box: NamedBox, image: _Image) -> Box:
        self._copied_maxima.see(box)
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
