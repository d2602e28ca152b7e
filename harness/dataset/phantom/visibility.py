"""The contrast floor: every finding must stand out at the models' resolution, or its report would teach a lie.

Contrast-to-noise ratio = mean grey-level change over the finding's core, divided by the standard deviation of what is
there without it (noise and fine structure: the local mean is taken away), both with the longer side at 256 pixels.
"""

from dataclasses import dataclass

import numpy as np

from harness.dataset.phantom.body import AIR_CONTRAST
from harness.dataset.phantom.exposure import Exposure
from harness.dataset.phantom.raster import Array, box_blur, smooth

CONTRAST_FLOOR = 1.5
"""Least contrast-to-noise ratio of a finding."""
_DRAWN_AT = 1.3 * CONTRAST_FLOOR
"""What is asked for here: projection and rounding to grey levels take a little away afterwards."""
_FRAME_SIDE = 256
_FILLS = (-3.0, 0.97)
"""Least and largest share of air displaced; negative adds air, as in a pneumothorax."""
_ROUNDS = 6


def contrast_to_noise(change: Array, without: Array, noise: float = 0.0) -> float:
    """The ratio for a change and the picture without it, both at the frame's resolution.

    `noise`: standard deviation of noise that `without` does not contain yet.
    """
    size = np.abs(change)
    core = size >= 0.5 * np.max(size)
    structure = np.std((without - box_blur(without, 4))[core])
    return float(np.mean(size[core]) / max(float(np.hypot(structure, noise)), 1e-6))


@dataclass(frozen=True, slots=True)
class Eye:
    """Judges findings as a model will see them: through one exposure, an image's longer side shrunk to 256 pixels."""

    exposure: Exposure
    longer_side: int

    def strengthen(self, fill: Array, air: Array, solid: Array) -> Array:
        """The fill (share of air displaced), made as strong as the contrast floor asks for.

        Lung against soft tissue exceeds the floor in every exposure that is drawn, so that a fill below 1 suffices.
        `air` and `solid` are the share of air and the attenuation without air, in the finding's window.
        """
        noise = self.exposure.noise * _FRAME_SIDE / self.longer_side
        before = self._seen(solid, air)
        for _ in range(_ROUNDS):
            ratio = contrast_to_noise(self._seen(solid, air * (1 - fill)) - before, before, noise)
            if ratio >= _DRAWN_AT:
                break
            fill = np.clip(fill * min(2.0, 1.1 * _DRAWN_AT / max(ratio, 1e-6)), *_FILLS)
        return fill

    def _seen(self, solid: Array, air: Array) -> Array:
        return smooth(self.exposure.tone(solid - AIR_CONTRAST * air))
