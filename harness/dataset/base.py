"""What a data set is, and the report of what its reader left out."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from harness.case import Box, ImageRecord

LABELS_SHOWN = 20


class DatasetError(ValueError):
    """A data set cannot be used as a whole, e.g. a file is cut off. The message names the file and the fix."""


@runtime_checkable
class Dataset(Protocol):
    """Images with reports. Iterating twice gives the same records in the same order; images load only on demand."""

    @property
    def name(self) -> str:
        """A short name for reports, e.g. ``"phantom:test"``."""

    @property
    def digest(self) -> str:
        """SHA-256 in hex of everything that the records say. A run notes the digest of the images' bytes besides."""

    def __iter__(self) -> Iterator[ImageRecord]: ...

    def __len__(self) -> int:
        """Number of images."""


@dataclass(slots=True)
class Findings:
    """What a reader met that was not as it should be: a count for each kind, and the first few in words."""

    examples_kept: int = 5
    left_out: Counter[str] = field(default_factory=Counter)
    """Sentences, regions or lines that were left out, by kind."""
    warnings: Counter[str] = field(default_factory=Counter)
    """Oddities that were kept, by kind."""
    examples: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    """What was assumed where the format says nothing, and what annotators agree on: no fault of the data."""

    def leave_out(self, kind: str, where: str, message: str) -> None:
        """Count something that is left out."""
        self._note(self.left_out, kind, f"{where}: {message}")

    def warn(self, kind: str, where: str, message: str) -> None:
        """Count something odd that is kept."""
        self._note(self.warnings, kind, f"{where}: {message}")

    def lines(self) -> list[str]:
        """What was met, for people, one line each."""
        text = []
        for title, counts in (("left out", self.left_out), ("kept, but odd", self.warnings)):
            for kind, count in sorted(counts.items()):
                text.append(f"  {title}: {count} × {kind}")
                text.extend(f"      {example}" for example in self.examples[kind])
        return text or ["  nothing left out"]

    def _note(self, counts: Counter[str], kind: str, text: str) -> None:
        counts[kind] += 1
        examples = self.examples.setdefault(kind, [])
        if len(examples) < self.examples_kept:
            examples.append(text)


@dataclass(slots=True)
class Contents:
    """What there is in a data set; memory grows with its patients and its vocabulary alone."""

    images: int = 0
    sentences: int = 0
    boxes: int = 0
    """Of sentences."""
    regions: int = 0
    """Named boxes of images."""
    patient_ids: set[str] = field(default_factory=set)
    stated: Counter[str] = field(default_factory=Counter)
    """In how many sentences each label is said to be there."""
    denied: Counter[str] = field(default_factory=Counter)
    """In how many it is said not to be there."""

    def add(self, record: ImageRecord) -> None:
        """Count one image."""
        self.images += 1
        self.regions += len(record.regions)
        self.patient_ids.add(record.patient_id)
        for sentence in record.sentences:
            self.sentences += 1
            self.boxes += len(sentence.boxes)
            self.stated.update({triple.label for triple in sentence.triples if triple.context})
            self.denied.update({triple.label for triple in sentence.triples if not triple.context})

    def labels(self) -> list[str]:
        """Every label, the most frequent first."""
        return sorted(self.stated | self.denied, key=lambda label: (-self.stated[label] - self.denied[label], label))


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """What a data set holds and what was left out of it."""

    name: str
    digest: str
    found: Contents
    findings: Findings

    def as_json(self) -> dict[str, Any]:
        """The report as plain JSON values, for the manifest."""
        return {
            "name": self.name,
            "digest": self.digest,
            "images": self.found.images,
            "patients": len(self.found.patient_ids),
            "sentences": self.found.sentences,
            "boxes": self.found.boxes,
            "regions": self.found.regions,
            "labels": {
                label: {"stated": self.found.stated[label], "denied": self.found.denied[label]}
                for label in sorted(self.found.labels())
            },
            "left_out": dict(sorted(self.findings.left_out.items())),
            "warnings": dict(sorted(self.findings.warnings.items())),
            "examples": dict(sorted(self.findings.examples.items())),
            "notes": list(self.findings.notes),
        }

    def lines(self) -> list[str]:
        """The report for people, one line each."""
        found, findings = self.found, self.findings
        text = [
            f"{self.name}  (digest {self.digest[:16]}…)",
            f"  {found.images} images, {len(found.patient_ids)} patients, {found.sentences} sentences, "
            f"{found.boxes} boxes of sentences, {found.regions} of regions",
            *self._label_lines(),
            *(f"  note: {note}" for note in findings.notes),
        ]
        return [*text, *findings.lines()]

    def _label_lines(self) -> Iterator[str]:
        labels, stated, denied = self.found.labels(), self.found.stated, self.found.denied
        for label in labels[:LABELS_SHOWN]:
            yield f"  label {label!r}: {stated[label]} × stated, {denied[label]} × denied"
        if len(labels) > LABELS_SHOWN:
            yield f"  and {len(labels) - LABELS_SHOWN} labels more"


def validate(dataset: Dataset) -> ValidationReport:
    """Count what the data set holds; data sets that read foreign files say in `.findings` what they left out."""
    found = Contents()
    for record in dataset:
        found.add(record)
    findings = getattr(dataset, "findings", None) or Findings()
    return ValidationReport(dataset.name, dataset.digest, found, findings)


def _boxes_json(boxes: Iterable[Box]) -> list[list[Any]]:
    return [
        [box.name, *box.xyxy, *([box.mask.rows, box.mask.cols, box.mask.counts] if box.mask else ())] for box in boxes
    ]


def _record_json(record: ImageRecord) -> list[Any]:
    return [
        [record.image_id, record.patient_id, record.study_id, record.width, record.height, dict(record.strata)],
        _boxes_json(record.regions),
        [
            [s.sentence_id, s.text, s.negated, dict(s.strata), _boxes_json(s.boxes)]
            + ([s.paraphrase] if s.paraphrase else [])
            + [[t.region, t.label, t.context] for t in s.triples]
            for s in record.sentences
        ],
    ]


def digest_records(records: Iterable[ImageRecord]) -> str:
    """SHA-256 in hex over everything that the records say, in order. The images' own bytes are not read."""
    sha = hashlib.sha256()
    for record in records:
        sha.update(json.dumps(_record_json(record), sort_keys=True, ensure_ascii=True).encode())
        sha.update(b"\n")
    return sha.hexdigest()
