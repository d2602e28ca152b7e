"""Frames cut from the studies' padded squares: at random places and grey levels, or as a served image is cut."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from training.config import AugmentConfig
from training.studies import Squares
from wronglung.model.config import PreprocessConfig

Corners = npt.NDArray[np.int64]
"""(B, 2): row and column of each frame's first pixel in its square."""
_GREYS = np.arange(256, dtype=np.float32) / np.float32(255)


class Frames(NamedTuple):
    """B frames and where they were cut."""

    frames_BHW: Tensor
    corners_B2: Corners


class FrameCutter:
    """Cuts frames from squares.

    Args:
        squares: (N, side, side) uint8.
        preprocess: frame size and normalisation.
    """

    def __init__(self, squares: Squares, preprocess: PreprocessConfig) -> None:
        self._squares, self._preprocess = squares, preprocess
        self._margin = preprocess.longer_side - preprocess.crop

    def at_random(self, indices: Sequence[int], augment: AugmentConfig, rng: np.random.Generator) -> Frames:
        """Random crops under random grey levels, of the squares with these indices."""
        corners_B2 = rng.integers(0, self._margin + 1, size=(len(indices), 2))
        tables = [_grey_table(augment, self._preprocess, rng) for _ in indices]
        return self._cut(indices, corners_B2, tables)

    def centred(self, indices: Sequence[int]) -> Frames:
        """Centre crops, grey levels as they are."""
        table = _normalise(_GREYS, self._preprocess)
        return self._cut(indices, np.full((len(indices), 2), self._margin // 2), [table] * len(indices))

    def _cut(self, indices: Sequence[int], corners_B2: Corners, tables: list[npt.NDArray[np.float32]]) -> Frames:
        crop = self._preprocess.crop
        frames = [
            table[self._squares[index, top : top + crop, left : left + crop]]
            for index, (top, left), table in zip(indices, corners_B2.tolist(), tables, strict=True)
        ]
        return Frames(torch.from_numpy(np.stack(frames)), corners_B2)


def _grey_table(
    augment: AugmentConfig, preprocess: PreprocessConfig, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Normalised value of each grey level, under a random gamma, contrast and brightness."""
    gamma, contrast = rng.uniform(1 - augment.gamma, 1 + augment.gamma), rng.uniform(-1, 1) * augment.contrast
    shift = rng.uniform(-1, 1) * augment.brightness
    greys = np.clip((_GREYS**gamma - 0.5) * (1 + contrast) + 0.5 + shift, 0, 1)
    greys[0] = 0  # padding stays black
    return _normalise(greys, preprocess)


def _normalise(greys: npt.NDArray[np.float32], preprocess: PreprocessConfig) -> npt.NDArray[np.float32]:
    return ((greys - preprocess.mean) / preprocess.std).astype(np.float32)
