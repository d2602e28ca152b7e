"""The contrast floor: every finding must stand out at the models' resolution, or its picture would teach a lie.

Contrast-to-noise ratio = mean grey-level change over the finding's core, divided by the standard deviation of what
surrounds it there (noise and fine structure, i.e. after taking away the local mean), both in the 224-pixel frame.
"""

from typing import TYPE_CHECKING

import numpy as np

from harness.dataset.phantom.body import AIR_CONTRAST
from harness.dataset.phantom.raster import Array, box_blur, smooth

if TYPE_CHECKING:
    from harness.dataset.phantom.plan import StudyPlan
    from harness.dataset.phantom.shadows import Scene, Shadow

CONTRAST_FLOOR = 1.5
"""Least contrast-to-noise ratio of a finding in the frame."""
_MARGIN = 1.25
"""Drawn this much above the floor: projection and later findings take a little away."""
_FRAME_SIDE = 256
"""Longer side of an image in the models' frame."""
_LARGEST_FILL = 0.97


def contrast_to_noise(change: Array, without: Array, local: int = 4) -> float:
    """The ratio for a grey-level change and the picture without it, both at the frame's resolution."""
    size = np.abs(change)
    core = size >= 0.5 * np.max(size)
    rest = without - box_blur(without, local)
    return float(np.mean(size[core]) / max(float(np.std(rest[core])), 1e-6))


def visible(shadow: "Shadow", solid: Array, scene: "Scene", plan: "StudyPlan") -> Array:
    """The shadow's fill, strengthened as far as the floor asks for."""
    window, fill = shadow.window, shadow.fill
    air, tissue = scene.air[window], solid[window]
    shrink = max(plan.view.width, plan.view.height) / _FRAME_SIDE
    before = smooth(plan.exposure.tone(tissue - AIR_CONTRAST * air), 1)
    for _ in range(6):
        after = smooth(plan.exposure.tone(tissue - AIR_CONTRAST * air * (1 - fill)), 1)
        ratio = contrast_to_noise(after - before, before)
        noise = plan.exposure.noise / shrink
        change = np.abs(after - before)
        core = change >= 0.5 * np.max(change)
        contrast = float(np.mean(change[core]))
        ratio = contrast / float(np.hypot(contrast / max(ratio, 1e-6), noise))
        if ratio >= _MARGIN * CONTRAST_FLOOR:
            break
        fill = np.minimum(fill * min(2.0, 1.1 * _MARGIN * CONTRAST_FLOOR / max(ratio, 1e-3)), _LARGEST_FILL)
    return fill
