"""Phantoms in the layout of a public data set, and broken copies of their annotations."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.case import Box, ImageRecord, Sentence
from harness.dataset.base import Dataset
from harness.dataset.catalogue import open_dataset, parse_dataset
from harness.dataset.export.affirmed import affirmed
from harness.dataset.export.catalogue import export
from harness.dataset.phantom import PhantomDataset
from harness.metrics import score
from harness.metrics.label import exact_boxes, paper_boxes
from wronglung.geometry import letterbox

PATIENTS, SEED = 6, 4
Row = dict[str, str]


class Copy:
    """One layout in a folder, and how `harness validate` names it."""

    def __init__(self, layout: str, folder: Path) -> None:
        self.layout = layout
        self.folder = folder
        self.names = export(layout, folder, patients=PATIENTS, seed=SEED)
        _, _, rest = self.names[0].partition(":")
        self.path, _, self.options = rest.partition(",")

    def open(self, number: int = 0, **options: str) -> Dataset:
        """Read it back."""
        return open_dataset(parse_dataset(",".join([self.names[number], *_options(options)])))

    def broken(self, data: bytes, suffix: str = "", **options: str) -> Dataset:
        """Read the same images with other annotations."""
        path = self.folder / f"broken{suffix or Path(self.path).suffix}"
        path.write_bytes(data)
        return open_dataset(parse_dataset(",".join([f"{self.layout}:{path}", self.options, *_options(options)])))

    def bytes(self) -> bytes:
        """The annotations."""
        return Path(self.path).read_bytes()

    def document(self) -> Any:
        """The annotations of a JSON file."""
        return json.loads(self.bytes())

    def with_document(self, change: Callable[[Any], object], **options: str) -> Dataset:
        """Read a JSON file in which something was changed."""
        document = self.document()
        change(document)
        return self.broken(json.dumps(document).encode(), **options)

    def with_rows(self, change: Callable[[list[Row]], object], **options: str) -> Dataset:
        """Read a table in which something was changed."""
        rows = list(csv.DictReader(io.StringIO(self.bytes().decode())))
        change(rows)
        text = io.StringIO()
        writer = csv.DictWriter(text, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return self.broken(text.getvalue().encode(), **options)


def _options(options: Mapping[str, str]) -> list[str]:
    return [f"{key}={value}" for key, value in options.items()]


def phantoms() -> list[ImageRecord]:
    """The studies of a copy that state something abnormal."""
    return [record for record in PhantomDataset(SEED, "test", PATIENTS) if list(affirmed(record))]


def scores(records: list[tuple[ImageRecord, tuple[Box, ...]]], profile: str = "exact") -> dict[str, Any]:
    """Every metric of given maps, one for each set of boxes, drawn by lot from its place in the list."""
    frames = [letterbox(record.width, record.height) for record, _ in records]
    carry = exact_boxes if profile == "exact" else paper_boxes
    return score(
        np.random.default_rng(0).random((len(records), 19, 19)),
        [carry(boxes, frame) for (_, boxes), frame in zip(records, frames, strict=True)],
        opt_out=np.zeros(len(records)),
        profile=profile,
        domains=[frame.image_rect for frame in frames] if profile == "exact" else None,
    )


def assert_same_scores(mine: dict[str, Any], theirs: dict[str, Any], *, abs: float = 1e-9) -> None:
    """Every metric of every map agrees."""
    assert mine.keys() == theirs.keys()
    for name, values in mine.items():
        assert values == pytest.approx(theirs[name], abs=abs, nan_ok=True), name


def by_finding(record: ImageRecord) -> dict[str, tuple[Sentence, ...]]:
    """The sentences of a report by the finding that they state."""
    found: dict[str, tuple[Sentence, ...]] = {}
    for label, sentence in affirmed(record):
        found[label] = (*found.get(label, ()), sentence)
    return found


def kinds(dataset: Dataset) -> dict[str, int]:
    """What was left out or odd, by kind."""
    findings = dataset.findings  # type: ignore[attr-defined]
    return {**findings.left_out, **findings.warnings}
