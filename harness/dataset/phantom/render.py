"""Draws a planned study: body → findings → projection onto the image → exposure → devices' and letters' shadows."""

import numpy as np
import numpy.typing as npt

from harness.dataset.phantom import body
from harness.dataset.phantom.devices import draw_devices
from harness.dataset.phantom.exposure import develop
from harness.dataset.phantom.findings import change_anatomy
from harness.dataset.phantom.plan import StudyPlan
from harness.dataset.phantom.raster import Array, Grid, make_grid, sample
from harness.dataset.phantom.shadows import Scene, draw
from harness.dataset.phantom.streams import Stream
from harness.dataset.phantom.view import View
from harness.dataset.phantom.visibility import visible

_AERATION = 0.86
"""Share of air in a healthy lung between its vessels."""


def render(plan: StudyPlan, omit: frozenset[int] = frozenset()) -> npt.NDArray[np.uint8]:
    """The picture (H, W) of a plan, before the letters. `omit`: findings (by index) left out, all else being equal."""
    left, top, right, bottom = plan.view.field
    grid = make_grid(left, top, right, bottom, plan.view.step)
    attenuation = _attenuation(plan, grid, omit)
    projected = project(attenuation, grid, plan.view)
    picture = develop(projected, plan.exposure, plan.key.rng(Stream.NOISE))
    return np.clip(picture * 255.0 + 0.5, 0, 255).astype(np.uint8)


def _attenuation(plan: StudyPlan, grid: Grid, omit: frozenset[int]) -> Array:
    present = [finding for index, finding in enumerate(plan.findings) if index not in omit]
    anatomy = change_anatomy(plan.anatomy, present)
    texture = plan.key.rng(Stream.TEXTURE)
    solid = body.soft_tissue(anatomy, grid) + body.breasts(anatomy, grid)
    solid += body.spine(anatomy, grid, texture) + body.ribs(anatomy, grid, texture)
    solid += body.shoulder_girdle(anatomy, grid, texture) + body.grain(grid, texture)
    solid -= body.stomach(anatomy, grid, texture)
    solid += draw_devices(plan.devices, grid)
    marking = body.vessels(anatomy, grid, texture) + body.hila(anatomy, grid, texture)
    air = body.air(anatomy, grid) * _AERATION * (1 - np.minimum(marking, 0.8))
    return solid - body.AIR_CONTRAST * _with_findings(plan, omit, Scene(anatomy, grid, air), solid)


def _with_findings(plan: StudyPlan, omit: frozenset[int], scene: Scene, solid: Array) -> Array:
    """The air that the findings leave, each made strong enough to be seen at the models' resolution."""
    left = scene.air.copy()
    for index, finding in enumerate(plan.findings):
        shadow = None if index in omit else draw(finding, scene, plan.key.rng(Stream.SHAPE, index))
        if shadow is not None:
            fill = visible(shadow, solid, scene, plan)
            left[shadow.window] *= 1 - fill
    return left


def project(image: Array, grid: Grid, view: View) -> Array:
    """Carry an image over the body plane onto the pixels of a view."""
    inverse = np.linalg.inv(np.array(view.matrix)).astype(np.float32)
    x = np.arange(view.width, dtype=np.float32)[None, :] + np.float32(0.5 - view.offset[0])
    y = np.arange(view.height, dtype=np.float32)[:, None] + np.float32(0.5 - view.offset[1])
    u = inverse[0, 0] * x + inverse[0, 1] * y
    v = inverse[1, 0] * x + inverse[1, 1] * y
    return sample(image, (u - grid.u[0, 0]) / np.float32(grid.step), (v - grid.v[0, 0]) / np.float32(grid.step))
