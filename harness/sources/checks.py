"""What every map must be before it is scored, and what its opt-out mass is."""

from typing import Any

import numpy as np
import numpy.typing as npt

from harness.sources.config import OptOut

MOST_CELLS = 1024 * 1024
"""Largest map: 4 MiB of float32, the most that a server answers."""
SLACK = 1e-3
"""How far float16 or float32 sums may miss 1."""
_ROUNDING = 1e-6


class UnusableMap(ValueError):
    """A map cannot be scored. `code` is counted among the failures, the message names the file and the fix."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def check_map(values: npt.NDArray[Any], where: str) -> npt.NDArray[np.float32]:
    """The map (R, C) as float32.

    Raises:
        UnusableMap: it is no grid of finite numbers that are at least 0, or all of them are 0.
    """
    if values.ndim != 2 or not 0 < values.size <= MOST_CELLS:
        raise UnusableMap("MAP_INVALID", f"{where}: expected a grid of at most {MOST_CELLS} cells, got {values.shape}")
    check_numbers(values, where)
    grid = values.astype(np.float32)
    if not np.isfinite(grid).all():
        raise UnusableMap("MAP_INVALID", f"{where}: values too large for float32")
    if not grid.any():
        raise UnusableMap("MAP_INVALID", f"{where}: all values are 0")
    return grid


def check_numbers(values: npt.NDArray[Any], where: str) -> None:
    """Attention is finite and at least 0.

    Raises:
        UnusableMap: it is not.
    """
    if values.dtype.kind not in "fiu":
        raise UnusableMap("MAP_INVALID", f"{where}: expected numbers, got {values.dtype}")
    if not np.isfinite(values).all() or (values < 0).any():
        raise UnusableMap("MAP_INVALID", f"{where}: attention is finite and at least 0, here it is not")


def opt_out_mass(total: float, convention: OptOut, where: str) -> float:
    """What attention that sums to `total` withholds; NaN if that is not known.

    Raises:
        UnusableMap: the sum is above 1 although what it leaves of 1 was declared to be the opt-out mass.
    """
    if convention == "none":
        return 0.0
    if convention == "not_known":
        return float("nan")
    if total > 1 + SLACK:
        raise UnusableMap(
            "MAP_INVALID",
            f"{where}: sums to {total:.4g}, and the run file says that a map sums to 1 − opt-out mass: set opt_out "
            "to none (the model cannot withhold attention) or not_known",
        )
    rest = 1.0 - total
    return rest if rest > _ROUNDING else 0.0
