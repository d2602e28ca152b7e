"""The gallery: one image with a map per arm, everything in original pixels, so that nothing can be drawn askew."""

import base64
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.mask import BoxMask
from harness.report import heat, numbers, wording
from harness.report.contour import contour
from harness.report.heat import FloatArray
from harness.report.reader import Json, Results, ResultsError
from wronglung.geometry import Frame, Rect

KINDS: Mapping[str, wording.Term] = {
    "best": wording.Term("Best", "The maps that meet their boxes best."),
    "worst": wording.Term("Worst", "The maps that miss their boxes most."),
    "ignores_swap": wording.Term(
        "Ignores a swap",
        "That's the wrong lung: the sentence names the other side, and the attention stays on the first.",
    ),
    "random": wording.Term("Random", "Drawn by lot from the run's seed: what is usual."),
}
LEAST_SPAN = 0.5
"""The colour scale spans at least so many multiples of uniform attention, so that a nearly flat map looks flat."""
NAMES = 6
"""Boxes beyond so many are counted, not named, and all are drawn with thinner lines."""
SIGNATURES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg"}


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


def rooms(results: Results) -> tuple[Room, ...]:
    """The gallery by kind; empty when the run wrote none.

    Raises:
        ResultsError: an entry is not what `docs/results-format.md` says.
    """
    exhibits = [(str(entry.get("kind", "")), _exhibit(results, place, entry)) for place, entry in _numbered(results)]
    kinds = wording.in_order(KINDS, (kind for kind, _ in exhibits))
    return tuple(
        Room(
            wording.term(KINDS, kind).label,
            wording.term(KINDS, kind).meaning,
            tuple(exhibit for of_kind, exhibit in exhibits if of_kind == kind),
        )
        for kind in kinds
    )


def _numbered(results: Results) -> Iterable[tuple[int, Json]]:
    return enumerate(results.gallery)


def _exhibit(results: Results, place: int, entry: Json) -> Exhibit:
    try:
        width, height = (int(size) for size in entry["image_size"])
        frame = Frame(**entry["frame"])
        return Exhibit(
            key=f"exhibit-{place}",
            sentence=str(entry["sentence"]),
            image_id=str(entry["image_id"]),
            sentence_id=str(entry["sentence_id"]),
            width=width,
            height=height,
            picture=_picture(results, entry["image"]),
            boxes=tuple(_outline(box) for box in entry["boxes"]),
            panels=_panels(entry, frame, results.models),
        )
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, ResultsError):
            raise
        raise ResultsError(f"entry {place} of gallery/index.json cannot be read: {error!r}") from error


def _picture(results: Results, name: str) -> str:
    folder = results.directory / "gallery"
    path = (folder / name).resolve()
    if path.parent != folder.resolve() or not path.is_file():
        raise ResultsError(f"gallery/index.json names {name!r}, which is no file of {folder}")
    data = path.read_bytes()
    kind = next((kind for signature, kind in SIGNATURES.items() if data.startswith(signature)), None)
    if kind is None:
        raise ResultsError(f"{path} is neither PNG nor JPEG")
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _outline(box: Mapping[str, Any]) -> Outline:
    x0, y0, x1, y1 = (float(value) for value in box["box_xyxy"])
    path = contour(BoxMask(**box["mask"]), (x0, y0, x1, y1)) if box.get("mask") else ""
    return Outline(str(box["name"]), x0, y0, x1 - x0, y1 - y0, path)


def _panels(entry: Json, frame: Frame, models: tuple[str, ...]) -> tuple[Panel, ...]:
    shown = dict.fromkeys(str(arm["model"]) for arm in entry["arms"])
    series = {model: place for place, model in enumerate(models)}
    return tuple(
        _panel((model, series.get(model, -1)), [arm for arm in entry["arms"] if arm["model"] == model], entry, frame)
        for model in shown
    )


def _panel(model: tuple[str, int], arms: list[Json], entry: Json, frame: Frame) -> Panel:
    sentence = str(entry["sentence"])
    maps = [relative_map(arm) for arm in arms]
    known = [m for m in maps if m is not None]
    low = min((float(m.min()) for m in known), default=0.0)
    high = max([low + LEAST_SPAN, *(float(m.max()) for m in known)])
    overlays = (_overlay(arm, m, (low, high), sentence, frame) for arm, m in zip(arms, maps, strict=True))
    scale = (f"{numbers.number(low, 2)} ×", f"{numbers.number(high, 2)} ×")
    return Panel(*model, scale, tuple(overlays))


def relative_map(arm: Json) -> FloatArray | None:
    """The arm's map (rows, cols) in multiples of uniform attention; None if it holds no numbers."""
    values = np.array([np.nan if v is None else v for v in arm["map"]], dtype=float)
    values = values.reshape(int(arm["rows"]), int(arm["cols"]))
    total = float(values.sum())
    return values * (values.size / total) if np.isfinite(total) and total > 0 else None


def _overlay(
    arm: Json, relative: FloatArray | None, scale: tuple[float, float], sentence: str, frame: Frame
) -> Overlay:
    perturbation = str(arm["perturbation"])
    return Overlay(
        perturbation=wording.term(wording.PERTURBATIONS, perturbation).label,
        words=changed_words(sentence, str(arm["text"])),
        picture="" if relative is None else heat.heat_uri(relative, *scale),
        area=frame.covered,
        peak="" if relative is None else f"{numbers.number(float(relative.max()), 2)} ×",
        facts=_facts(arm),
    )


def _facts(arm: Json) -> tuple[str, ...]:
    facts = []
    if arm.get("auroc") is not None:
        facts.append(f"AUROC {numbers.number(float(arm['auroc']))}")
    if arm.get("opt_out_mass"):
        facts.append(f"opt-out mass {numbers.number(float(arm['opt_out_mass']), 4)}")
    if arm.get("preference") is not None:
        own = float(arm["preference"])
        named = 1.0 - own if arm["perturbation"] == "swap_left_right" else own
        facts.append(f"named side {100 * named:.0f}\N{NO-BREAK SPACE}%")
    return tuple(facts)


def changed_words(before: str, after: str) -> tuple[Word, ...]:
    """The words of `after`; those that are not `before`'s are marked."""
    old, new = before.split(), after.split()
    matcher = difflib.SequenceMatcher(a=old, b=new, autojunk=False)
    kept = {block.b + i for block in matcher.get_matching_blocks() for i in range(block.size)}
    return tuple(Word(word, place not in kept) for place, word in enumerate(new))
