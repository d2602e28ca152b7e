"""Whether something that was looked at again and again has grown.

The samples are averaged over blocks of two minutes, in which a soak takes its load anew and looks at Java's heap: that
takes out most of what is random and how samples hang together. A straight line is fitted to the means by least squares;
its slope has a 95 % interval by Student's t.
"""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import t

BLOCK_S = 120.0
FEWEST_BLOCKS = 5
FloatArray = npt.NDArray[np.float64]
Verdict = Literal["flat", "within noise", "grows"]


class Trend(NamedTuple):
    """Growth per hour."""

    mean: float
    slope: float
    lo: float
    hi: float
    """Ends of the slope's 95 % interval."""

    def verdict(self, allowed: float) -> Verdict:
        """Flat where the whole interval lies at or below a growth per hour that is allowed; else within noise where
        it holds no growth at all; else it grows: what is shown to grow and not to stay below what is allowed.
        """
        if self.hi <= allowed:
            return "flat"
        return "within noise" if self.lo <= 0 else "grows"


def trend(seconds: Sequence[float], values: Sequence[float]) -> Trend:
    """The trend of values that were seen at these times, in seconds.

    Raises:
        ValueError: they span fewer than `FEWEST_BLOCKS` blocks.
    """
    times, seen = np.asarray(seconds), np.asarray(values)
    block = ((times - times[0]) // BLOCK_S).astype(int)
    blocks = np.unique(block)
    if len(blocks) < FEWEST_BLOCKS:
        raise ValueError(f"a trend needs {FEWEST_BLOCKS * BLOCK_S:g} s of samples, got {times[-1] - times[0]:.0f}")
    hours = np.array([times[block == each].mean() for each in blocks]) / 3600
    means = np.array([seen[block == each].mean() for each in blocks])
    slope, error = _line(hours, means)
    margin = float(t.ppf(0.975, len(blocks) - 2)) * error
    return Trend(float(seen.mean()), slope, slope - margin, slope + margin)


def _line(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    """Slope of the line of least squares, and its standard error (0 where all lies on the line)."""
    dx, dy = x - x.mean(), y - y.mean()
    spread = float(dx @ dx)
    slope = float(dx @ dy) / spread
    rest = dy - slope * dx
    return slope, math.sqrt(float(rest @ rest) / (len(x) - 2) / spread)
