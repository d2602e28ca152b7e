"""A small set of real radiographs with sentences and lung boxes, mapped to our JSONL format.

A directory with `pairs.jsonl` (a sentence with its lung boxes on each line), `images.jsonl` (an image with all its
regions on each line) and the images. The boxes are taken as half-open: some have x1 or y1 equal to the image's size,
which an inclusive maximum cannot be.
"""

import os
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import ValidationError

from harness.dataset.base import Findings
from harness.dataset.document import Part
from harness.dataset.files import read_lines
from harness.dataset.line import Line, NamedBox, SentenceBox, explain
from harness.dataset.records import RecordBuilder, RecordedDataset

ROOT_VARIABLE = "WRONGLUNG_REAL_CXR"
DEFAULT_ROOT = Path("../shared/real_cxr")
ANATOMY_KINDS = ("lung_box", "anatomy_mask_box")


def real_cxr_root(configured: Path | None) -> Path:
    """Where the set lies: as configured, else $WRONGLUNG_REAL_CXR, else beside the checkout.

    Raises:
        FileNotFoundError: nothing is there; the message says what to set.
    """
    root = configured or Path(os.environ.get(ROOT_VARIABLE, DEFAULT_ROOT))
    if not (root / "pairs.jsonl").is_file():
        raise FileNotFoundError(
            f"no pairs.jsonl in {root}: point dataset.root of the run file, or ${ROOT_VARIABLE}, at the real_cxr folder"
        )
    return root


class Region(NamedBox):
    """A named box of an image, and how it came about."""

    kind: str


class Image(Part):
    """A line of `images.jsonl`."""

    image: str
    regions: tuple[Region, ...]

    def anatomy(self) -> tuple[NamedBox, ...]:
        """The anatomy, each name once (a box drawn for the lungs comes before one around a mask)."""
        found: dict[str, NamedBox] = {}
        for kind in ANATOMY_KINDS:
            for region in self.regions:
                if region.kind == kind:
                    found.setdefault(region.name, NamedBox(name=region.name, box_xyxy=region.box_xyxy))
        return tuple(found.values())


class Pair(Part):
    """A line of `pairs.jsonl`: a sentence with its lungs."""

    pair_id: str
    image: str
    patient_id: str
    sentence: str
    side: str
    finding: str
    polarity: Literal["present", "absent"]
    lung_boxes: tuple[NamedBox, ...]

    def line(self, regions: tuple[NamedBox, ...]) -> Line:
        """The sentence in our own format.

        Raises:
            ValidationError: a text or name is empty.
        """
        return Line(
            image=self.image,
            image_id=self.image,
            patient_id=self.patient_id,
            study_id=self.image,
            sentence_id=self.pair_id,
            sentence=self.sentence,
            boxes=tuple(self._boxes()),
            regions=regions,
            negated=self.polarity == "absent",
            strata={"side": self.side},
        )

    def _boxes(self) -> Iterator[SentenceBox]:
        """Each lung with the finding, and with "abnormal" or its absence."""
        for box in self.lung_boxes:
            for label in (self.finding, "abnormal"):
                present = self.polarity == "present"
                yield SentenceBox(name=box.name, box_xyxy=box.box_xyxy, label=label, context=present)


P = TypeVar("P", bound=Part)


def _rows(model: type[P], path: Path, findings: Findings) -> Iterator[tuple[str, P]]:
    """Every line that is as expected, with where it stands."""
    for number, data in read_lines(path):
        where = f"{path.name} line {number}"
        if data.strip():
            try:
                yield where, model.model_validate_json(data)
            except ValidationError as error:
                findings.leave_out("bad_line", where, explain(error))


def open_real_cxr(root: Path | None = None, *, seen_patients: Set[str] = frozenset()) -> RecordedDataset:
    """Read and check the set, without the patients that a model was finetuned on.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    folder, findings = real_cxr_root(root), Findings()
    regions = {image.image: image.anatomy() for _, image in _rows(Image, folder / "images.jsonl", findings)}
    builder = RecordBuilder(folder, findings, seen_patients=seen_patients)
    for where, pair in _rows(Pair, folder / "pairs.jsonl", findings):
        try:
            builder.add(pair.line(regions.get(pair.image, ())), where)
        except ValidationError as error:
            findings.leave_out("bad_line", where, explain(error))
    return RecordedDataset("real_cxr", builder.records(), findings)
