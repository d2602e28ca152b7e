"""Attention as a tiny transparent picture: one pixel per grid cell, scaled up by whoever draws it."""

import base64
import io

import numpy as np
import numpy.typing as npt
from PIL import Image

FloatArray = npt.NDArray[np.float64]

RAMP = (
    (0.00, (66, 10, 104, 0)),
    (0.25, (120, 28, 109, 50)),
    (0.50, (200, 62, 76, 115)),
    (0.75, (246, 131, 24, 165)),
    (1.00, (252, 231, 100, 200)),
)
"""Dark violet to yellow, lightness rising throughout (readable without colour vision); opacity rises with it."""


def colour(share: FloatArray) -> npt.NDArray[np.uint8]:
    """Colour values of [0, 1] as RGBA: (…,) -> (…, 4)."""
    stops = np.array([stop for stop, _ in RAMP])
    channels = np.array([rgba for _, rgba in RAMP], dtype=float)
    mixed = [np.interp(share, stops, channels[:, channel]) for channel in range(4)]
    rgba: npt.NDArray[np.uint8] = np.rint(np.stack(mixed, axis=-1)).astype(np.uint8)
    return rgba


def png_uri(rgba: npt.NDArray[np.uint8]) -> str:
    """A (R, C, 4) picture as a data URI."""
    buffer = io.BytesIO()
    Image.fromarray(rgba).save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def heat_uri(relative: FloatArray, low: float, high: float) -> str:
    """A map (R, C) as a picture, coloured from `low` (transparent) to `high`."""
    span = max(high - low, 1e-12)
    return png_uri(colour(np.clip((relative - low) / span, 0.0, 1.0)))


def legend_uri(width: int = 128) -> str:
    """The colour scale from left to right, one pixel high."""
    return png_uri(colour(np.linspace(0.0, 1.0, width))[None, :, :])
