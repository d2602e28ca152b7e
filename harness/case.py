"""The frozen records that pass through the harness.

`ImageRecord` is what a data set yields; `Case` is one sentence of it under one perturbation, as it is sent.
Boxes are half-open rectangles in original pixels (a source with inclusive maxima adds 1 when it is read).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.mask import BoxMask

Side = Literal["left", "right"]
OTHER_SIDE: dict[str, str] = {"left": "right", "right": "left"}
CaseStatus = Literal["ok", "failed", "not_applicable"]


@dataclass(frozen=True, slots=True)
class Box:
    """A named region: ``[x0, x1) × [y0, y1)`` in original pixels, or the part of it that `mask` outlines.

    Raises:
        ValueError: x0 >= x1 or y0 >= y1.
    """

    name: str
    x0: float
    y0: float
    x1: float
    y1: float
    mask: BoxMask | None = None
    """Stretched over the box; None: all of the box."""

    def __post_init__(self) -> None:
        if not (self.x0 < self.x1 and self.y0 < self.y1):
            raise ValueError(f"box {self.name!r} is empty or inside out: [{self.x0}, {self.y0}, {self.x1}, {self.y1}]")

    @property
    def xyxy(self) -> tuple[float, float, float, float]:
        """The four coordinates."""
        return self.x0, self.y0, self.x1, self.y1


@dataclass(frozen=True, slots=True)
class Triple:
    """What a sentence says of a region: `label` is present (`context` True) or absent (False) in `region`."""

    region: str
    label: str
    context: bool


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a report with the regions that it speaks of."""

    sentence_id: str
    text: str
    boxes: tuple[Box, ...]
    triples: tuple[Triple, ...] = ()
    negated: bool = False
    strata: Mapping[str, str] = field(default_factory=dict)
    """Free labels by which results may be split, e.g. ``{"location": "none", "template": "held_out"}``."""
    paraphrase: str = ""
    """The same statement in other words; empty where the data set has none."""

    @property
    def abnormal(self) -> bool:
        """Whether the sentence states an abnormal finding: a triple (·, abnormal, yes) (arXiv 2210.06565)."""
        return any(t.label == "abnormal" and t.context for t in self.triples)

    @property
    def lung_side(self) -> Side | None:
        """The side if the boxes name exactly one of `left lung` and `right lung`, else None (arXiv 2210.06565)."""
        names = {box.name for box in self.boxes} & {"left lung", "right lung"}
        if len(names) != 1:
            return None
        return "left" if names == {"left lung"} else "right"


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One image with its report. `load` reads the encoded bytes (PNG, JPEG or DICOM) when they are needed."""

    image_id: str
    patient_id: str
    study_id: str
    width: int
    height: int
    regions: tuple[Box, ...]
    sentences: tuple[Sentence, ...]
    load: Callable[[], bytes] = field(repr=False, compare=False)
    strata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """One sentence of one image under one perturbation.

    `boxes` are those that the map is held against (original pixels of this image); `text` is what is sent.
    A case that is not applicable is never sent and never counted as robust.
    """

    image: ImageRecord
    sentence: Sentence
    perturbation: str
    text: str
    boxes: tuple[Box, ...]
    applicable: bool = True
    reason: str = ""
    """Why the perturbation does not apply, e.g. "names no side"."""
    donor_id: str = ""
    """Id of the sentence or image that lent its text or boxes; empty when none did."""
    spoken: Sentence | None = field(default=None, repr=False)
    """The other patient's sentence whose words are sent; None when they are of this sentence."""
    stratum: str = ""
    """If not empty, the case is summarised under this name and under no subset, e.g. "both_sides"."""
    sends: Literal["text", "nothing"] = "text"
    """"nothing": the model's input equals that of `none`, whose map is used again."""
