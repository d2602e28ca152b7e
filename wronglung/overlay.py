"""Draw attention maps over the original image, each cell exactly where the model saw it. Pillow only."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from wronglung.alignment import Alignment
from wronglung.geometry import Frame

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
Floats = npt.NDArray[np.float64]

# Viridis at even steps: ordered in lightness, so that it reads without colour vision and in grey print.
_COLOURS = np.array(
    [(68, 1, 84), (71, 44, 122), (59, 81, 139), (44, 113, 142), (33, 144, 141), (39, 173, 129), (92, 200, 99),
     (170, 220, 50), (253, 231, 37)],
    np.float64,
)  # fmt: skip
_STRONGEST = 0.6
_COLUMNS = 4
_GAP = 8
_TEXT_SIZE = 16
_LINE = 20
_INK = (235, 235, 235)
_PAPER = (24, 24, 24)


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture: a map over the image, with what is written under it."""

    map: npt.NDArray[np.float32]
    """(R, C) over the frame; NaN where the sentence failed."""
    caption: str
    """The sentence."""
    note: str
    """Opt-out mass and peak, or why there is no map."""


def panels(alignment: Alignment, sentences: Sequence[str]) -> list[Panel]:
    """One panel per sentence of an alignment.

    Raises:
        ValueError: there are not as many sentences as results.
    """
    if len(sentences) != len(alignment.errors):
        raise ValueError(f"{len(sentences)} sentences for {len(alignment.errors)} results")
    return [Panel(alignment.maps[i], text, _note(alignment, i)) for i, text in enumerate(sentences)]


def _note(alignment: Alignment, index: int) -> str:
    if (error := alignment.errors[index]) is not None:
        return f"no map: {error.message}"
    values = alignment.maps[index]
    return f"opt-out mass {alignment.opt_out[index]:.4f}; peak {values.max() * values.size:.1f} x an even map"


def heat(values: npt.NDArray[np.float32], frame: Frame, width: int, height: int) -> Floats:
    """(height, width) map values over a picture of the whole image at that size; NaN where the grid does not reach.

    Every point takes the value of the cell that it lies in: nothing is smoothed.
    """
    rows, cols = values.shape
    col = _cells(width, frame.image_width, frame.scale_x, frame.offset_x, frame.width, cols)
    row = _cells(height, frame.image_height, frame.scale_y, frame.offset_y, frame.height, rows)
    picture = values.astype(np.float64)[np.clip(row, 0, rows - 1)[:, None], np.clip(col, 0, cols - 1)[None, :]]
    covered = ((row >= 0) & (row < rows))[:, None] & ((col >= 0) & (col < cols))[None, :]
    return np.where(covered, picture, np.nan)


def _cells(shown: int, size: int, scale: float, offset: int, frame: int, cells: int) -> npt.NDArray[np.int64]:
    """The grid cell under the middle of each shown pixel along one axis; outside 0 … cells − 1 where there is none."""
    middle = (np.arange(shown) + 0.5) * size / shown
    return np.floor((middle * scale + offset) * cells / frame).astype(np.int64)


def draw(pixels: Pixels, frame: Frame, shown: Sequence[Panel], *, longer_side: int = 768) -> Image.Image:
    """Draw panels in rows of up to four.

    Args:
        pixels: the original image, H × W.
        frame: where the maps lie in it.
        shown: at least one panel.
        longer_side: of each picture, in pixels; small images are enlarged.

    Raises:
        ValueError: no panel, or the image is not the one that the frame belongs to.
    """
    if not shown:
        raise ValueError("nothing to draw")
    if pixels.shape != (frame.image_height, frame.image_width):
        raise ValueError(f"the frame belongs to an image of {frame.image_width} x {frame.image_height} pixels")
    ratio = longer_side / max(pixels.shape)
    size = max(1, round(frame.image_width * ratio)), max(1, round(frame.image_height * ratio))
    grey = np.asarray(_to_8_bit(pixels).resize(size, Image.Resampling.LANCZOS), np.float64)
    texts = [_wrap(panel, size[0]) for panel in shown]
    across, down = size[0] + _GAP, size[1] + _LINE * max(len(text) for text in texts) + 3 * _GAP
    columns = min(len(shown), _COLUMNS)
    sheet = Image.new("RGB", (columns * across + _GAP, -(-len(shown) // columns) * down + _GAP), _PAPER)
    for index, (panel, text) in enumerate(zip(shown, texts, strict=True)):
        left, top = _GAP + index % columns * across, _GAP + index // columns * down
        sheet.paste(_blend(grey, heat(panel.map, frame, *size)), (left, top))
        _write(sheet, left, top + size[1] + _GAP, text)
    return sheet


def _to_8_bit(pixels: Pixels) -> Image.Image:
    return Image.fromarray((pixels >> 8).astype(np.uint8) if pixels.dtype == np.uint16 else pixels)


def _blend(grey: Floats, values: Floats) -> Image.Image:
    """Colour over grey: nothing where a cell has no more than its even share, most at the map's maximum.

    Full strength takes at least twice the even share, so that a nearly flat map looks flat.
    """
    even = float(np.nanmean(values)) if np.isfinite(values).any() else 0.0
    full = max(float(np.nanmax(values)), 2 * even) if even > 0 else 1.0
    share = np.nan_to_num(np.clip((values - even) / (full - even), 0.0, 1.0))
    steps = np.arange(len(_COLOURS)) / (len(_COLOURS) - 1)
    colour = np.stack([np.interp(share, steps, channel) for channel in _COLOURS.T], axis=-1)
    alpha = (_STRONGEST * np.sqrt(share))[..., None]
    return Image.fromarray(np.rint((1 - alpha) * grey[..., None] + alpha * colour).astype(np.uint8))


def _wrap(panel: Panel, width: int) -> list[str]:
    room = max(10, int(width / (_TEXT_SIZE * 0.55)))
    return [*textwrap.wrap(panel.caption, room), *textwrap.wrap(panel.note, room)]


def _write(sheet: Image.Image, left: int, top: int, lines: list[str]) -> None:
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(_TEXT_SIZE)
    for index, line in enumerate(lines):
        pen.text((left, top + index * _LINE), line, fill=_INK, font=font)
