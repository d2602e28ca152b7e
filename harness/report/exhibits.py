"""What the gallery shows, as values. Everything lies in original pixels, so that nothing can be drawn askew."""

from dataclasses import dataclass

from wronglung.geometry import Rect

NAMES = 6
"""Boxes beyond so many are counted, not named, and all are drawn with thinner lines."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a sentence, and whether it differs from the sentence as written."""

    text: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Overlay:
    """One map: its picture and the rectangle of original pixels that it covers."""

    perturbation: str
    words: tuple[Word, ...]
    picture: str
    """Data URI, one pixel per cell; empty when the map is missing."""
    area: Rect
    """(x0, y0, x1, y1) in original pixels; reaches beyond the image where the frame is padded."""
    peak: str
    facts: tuple[str, ...]

    @property
    def x(self) -> float:
        """Left edge of the area."""
        return round(self.area[0], 3)

    @property
    def y(self) -> float:
        """Upper edge of the area."""
        return round(self.area[1], 3)

    @property
    def width(self) -> float:
        """Width of the area."""
        return round(self.area[2] - self.area[0], 3)

    @property
    def height(self) -> float:
        """Height of the area."""
        return round(self.area[3] - self.area[1], 3)


@dataclass(frozen=True, slots=True)
class Panel:
    """One model's overlays on one image, on a common colour scale."""

    model: str
    series: int
    scale: tuple[str, str]
    overlays: tuple[Overlay, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """An annotated box in original pixels."""

    name: str
    x: float
    y: float
    width: float
    height: float
    path: str = ""
    """Path data of the mask's border, if the box has a mask."""


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One sentence of one image."""

    key: str
    sentence: str
    image_id: str
    sentence_id: str
    width: int
    height: int
    picture: str
    boxes: tuple[Outline, ...]
    panels: tuple[Panel, ...]

    @property
    def named(self) -> tuple[str, ...]:
        """Names of the boxes, each once, in order; the first few of many."""
        return tuple(dict.fromkeys(box.name for box in self.boxes))[:NAMES]

    @property
    def unnamed(self) -> int:
        """How many boxes have a name that is not among `named`."""
        return sum(box.name not in self.named for box in self.boxes)

    @property
    def crowded(self) -> bool:
        """Whether there are so many boxes that thick lines would hide the image."""
        return len(self.boxes) > NAMES


@dataclass(frozen=True, slots=True)
class Room:
    """The exhibits of one kind."""

    label: str
    meaning: str
    exhibits: tuple[Exhibit, ...]
