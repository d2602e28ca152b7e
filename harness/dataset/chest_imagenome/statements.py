"""What a sentence says of its regions, gathered statement by statement from rows or attributes."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.dataset.checks import Unusable
from harness.dataset.line import Line, NamedBox, SentenceBox

Corners = tuple[float, float, float, float]


_NUMBER = r"\s*(-?\d{1,9}(?:\.\d{1,20})?)\s*"
_CORNERS = re.compile(rf"\s*\[{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}\]\s*", re.ASCII)


def read_corners(text: str) -> Corners:
    """``[x1, y1, x2, y2]`` as text.

    Raises:
        Unusable: it is anything else.
    """
    found = _CORNERS.fullmatch(text)
    if found is None:
        raise Unusable("bad_coordinates", "coordinates must read [x1, y1, x2, y2]")
    x1, y1, x2, y2 = map(float, found.groups())
    return x1, y1, x2, y2


def read_context(text: str) -> bool:
    """Whether a label is there.

    Raises:
        Unusable: it is neither yes nor no.
    """
    if text not in ("yes", "no"):
        raise Unusable("bad_context", f"the context must be yes or no, got {text!r}")
    return text == "yes"


def read_attribute(text: str) -> tuple[str, bool]:
    """Label and context of e.g. ``anatomicalfinding|no|pneumothorax``.

    Raises:
        Unusable: it does not have these three parts.
    """
    parts = text.split("|")
    if len(parts) != 3 or not parts[2]:
        raise Unusable("bad_attribute", f"an attribute must read category|yes or no|label, got {text!r}")
    return parts[2], read_context(parts[1])


@dataclass(slots=True)
class Told:
    """One sentence of one image while its statements are being gathered."""

    where: str
    patient_id: str
    study_id: str
    dicom_id: str
    row_id: str
    """``study|number``, as the data set names a sentence of a report."""
    text: str
    strata: dict[str, str]
    fault: Unusable | None = None
    """The first thing that is wrong; the sentence is then left out as a whole."""
    boxes: list[SentenceBox] = field(default_factory=list)

    def add(self, region: str, corners: Corners, label: str, context: bool) -> None:
        """Note what is said of a region.

        Raises:
            Unusable: the region has other corners than before.
        """
        if any(box.name == region and box.box_xyxy != corners for box in self.boxes):
            raise Unusable("box_contradicts", f"region {region!r} has two boxes in one sentence")
        self.boxes.append(SentenceBox(name=region, box_xyxy=corners, label=label, context=context))

    def spoil(self, error: Unusable) -> None:
        """Leave the sentence out; the first reason is told."""
        self.fault = self.fault or error

    def line(self, image: str, regions: Iterable[NamedBox]) -> Line:
        """The sentence with the path and the named boxes of its image.

        Its id is the one that the study gave it (arXiv 2210.06565).

        Raises:
            Unusable: the sentence is to be left out.
        """
        if self.fault:
            raise self.fault
        if not self.text.strip():
            raise Unusable("sentence_blank", "the sentence has no characters but spaces")
        return Line(
            image=image,
            image_id=self.dicom_id,
            patient_id=self.patient_id,
            study_id=self.study_id,
            sentence_id=f"dicom_{self.dicom_id}_sent_{self.row_id}",
            sentence=self.text,
            boxes=tuple(self.boxes),
            regions=tuple(regions),
            negated=any(box.label and not box.context for box in self.boxes),
            strata=self.strata,
        )
