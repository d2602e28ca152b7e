"""The gallery: one image with a map per arm, by the kind of its sentence; only files of the run are shown."""

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from harness.mask import BoxMask
from harness.report import wording
from harness.report.contour import contour
from harness.report.exhibits import Exhibit, Outline, Room
from harness.report.overlays import panels
from harness.report.reader import Json, Results, ResultsError
from wronglung.geometry import Frame

KINDS: Mapping[str, wording.Term] = {
    "best": wording.Term("Best", "The maps that meet their boxes best."),
    "worst": wording.Term("Worst", "The maps that miss their boxes most."),
    "ignores_swap": wording.Term(
        "Ignores a swap",
        "That's the wrong lung: the sentence names the other side, and the attention stays on the first.",
    ),
    "random": wording.Term("Random", "Drawn by lot from the run's seed: what is usual."),
}
SIGNATURES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg"}


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
            panels=panels(entry, frame, results.models),
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
