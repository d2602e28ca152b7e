"""Side letters and captions, stamped onto the finished picture in a 5 x 7 dot face."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from harness.dataset.phantom.anatomy import Projection
from harness.dataset.phantom.view import View

_FACE = {
    "L": "10000 10000 10000 10000 10000 10000 11111",
    "R": "11110 10001 10001 11110 10100 10010 10001",
    "P": "11110 10001 10001 11110 10000 10000 10000",
    "A": "01110 10001 10001 11111 10001 10001 10001",
    "E": "11111 10000 10000 11110 10000 10000 11111",
    "C": "01111 10000 10000 10000 10000 10000 01111",
    "T": "11111 00100 00100 00100 00100 00100 00100",
    " ": "00000 00000 00000 00000 00000 00000 00000",
}
_OTHER = {"L": "R", "R": "L"}


@dataclass(frozen=True, slots=True)
class Marker:
    """A caption whose top left corner lies at (x, y) pixels; `dot` pixels per dot of the face."""

    text: str
    x: int
    y: int
    dot: int
    level: int

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """The glyphs (7 dot, 6 dot n - dot)."""
        glyphs = [np.array([[dot == "1" for dot in row] for row in _FACE[letter].split()]) for letter in self.text]
        gap = np.zeros((7, 1), dtype=bool)
        line = np.concatenate([part for glyph in glyphs for part in (glyph, gap)][:-1], axis=1)
        return np.kron(line, np.ones((self.dot, self.dot), dtype=bool)).astype(bool)


def sample_markers(view: View, projection: Projection, rng: np.random.Generator) -> tuple[Marker, ...]:
    """Draw the letters: an L at the patient's left or an R at the right, both or none, and sometimes a caption."""
    texts = [("L",), ("R",), ("L", "R"), ()][int(rng.choice(4, p=[0.3, 0.3, 0.1, 0.3]))]
    markers = [_letter(text, view, rng) for text in texts]
    if rng.random() < 0.2:
        text = str(rng.choice(["PA", "PA ERECT", "ERECT"])) if projection == "PA" else "AP"
        caption = Marker(text, 0, 0, int(rng.integers(1, 3)), 230)
        width = caption.mask.shape[1]
        x = int(rng.integers(4, max(5, view.width - width - 4)))
        markers.append(replace(caption, x=x, y=view.height - 7 * caption.dot - int(rng.integers(2, 12))))
    return tuple(markers)


def _letter(text: str, view: View, rng: np.random.Generator) -> Marker:
    dot = int(rng.integers(2, 5))
    inset = int(rng.uniform(0.02, 0.14) * view.width)
    x = view.width - inset - 5 * dot if text == "L" else inset
    return Marker(text, x, int(rng.uniform(0.02, 0.2) * view.height), dot, int(rng.integers(190, 256)))


def stamp(pixels: npt.NDArray[np.uint8], markers: tuple[Marker, ...]) -> npt.NDArray[np.uint8]:
    """A copy of a picture with the markers on it."""
    stamped = pixels.copy()
    for marker in markers:
        mask = marker.mask
        part = stamped[marker.y : marker.y + mask.shape[0], marker.x : marker.x + mask.shape[1]]
        part[mask[: part.shape[0], : part.shape[1]]] = marker.level
    return stamped


def letters(markers: tuple[Marker, ...]) -> str:
    """The side letters among the markers: "L", "R", "LR" or "none"."""
    return "".join(sorted(marker.text for marker in markers if marker.text in _OTHER)) or "none"


def mirror_marker(marker: Marker, width: int) -> Marker:
    """The marker as it reads on a mirrored picture, where left and right have changed places."""
    return replace(marker, text=_OTHER.get(marker.text, marker.text), x=width - marker.x - marker.mask.shape[1])
