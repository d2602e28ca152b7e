"""Draws a planned study: body → findings → projection onto the image → exposure → devices' and letters' shadows."""

import numpy as np
import numpy.typing as npt

from harness.dataset.phantom import body, bones
from harness.dataset.phantom.devices import draw_devices
from harness.dataset.phantom.exposure import develop
from harness.dataset.phantom.findings import change_anatomy
from harness.dataset.phantom.plan import StudyPlan
from harness.dataset.phantom.raster import Array, Grid, make_grid, refine, sample, smooth_noise
from harness.dataset.phantom.shadows import Scene, draw
from harness.dataset.phantom.streams import Stream
from harness.dataset.phantom.vessels import hila, vessels
from harness.dataset.phantom.view import View
from harness.dataset.phantom.visibility import Eye

_AERATION = 0.86
"""Share of air in a healthy lung between its vessels."""


def render(plan: StudyPlan, omit: frozenset[int] = frozenset()) -> npt.NDArray[np.uint8]:
    """The picture (H, W) of a plan, before the letters. `omit`: findings (by index) left out, all else being equal."""
    left, top, right, bottom = plan.view.field
    grid = make_grid(left, top, right, bottom, plan.view.step)
    attenuation = _attenuation(plan, grid, omit)
    projected = project(attenuation, grid, plan.view)
    picture = develop(projected, plan.exposure, plan.key.rng(Stream.NOISE))
    pixels: npt.NDArray[np.uint8] = np.clip(picture * 255.0 + 0.5, 0, 255).astype(np.uint8)
    return pixels


def _attenuation(plan: StudyPlan, grid: Grid, omit: frozenset[int]) -> Array:
    present = [finding for index, finding in enumerate(plan.findings) if index not in omit]
    anatomy = change_anatomy(plan.anatomy, present)
    texture = plan.key.rng(Stream.TEXTURE)
    coarse = grid.coarse()
    heart = body.heart_mask(anatomy, coarse)
    soft = body.soft_tissue(anatomy, coarse, heart) + body.breasts(anatomy, coarse)
    soft *= body.grain(coarse, texture)
    soft -= body.gas(anatomy, coarse, texture)
    solid = refine(soft, grid.shape) + draw_devices(plan.devices, grid)
    solid += bones.spine(anatomy, grid, texture) + bones.ribs(anatomy, grid, texture)
    solid += bones.shoulder_girdle(anatomy, grid, texture)
    marking = np.minimum(vessels(anatomy, coarse, texture) + hila(anatomy, coarse, texture), 0.8)
    aeration = (_AERATION + np.float32(0.05) * smooth_noise(texture, coarse.shape, 30)) * (1 - marking)
    air = body.air(anatomy, grid, refine(heart, grid.shape)) * refine(aeration, grid.shape)
    return solid - body.AIR_CONTRAST * _with_findings(plan, omit, Scene(anatomy, grid, air), solid)


def _with_findings(plan: StudyPlan, omit: frozenset[int], scene: Scene, solid: Array) -> Array:
    """The air that the findings leave, each made strong enough to be seen at the models' resolution."""
    left, eye = scene.air.copy(), Eye(plan.exposure, max(plan.view.width, plan.view.height))
    for index, finding in enumerate(plan.findings):
        shadow = None if index in omit else draw(finding, scene, plan.key.rng(Stream.SHAPE, index))
        if shadow is not None:
            window = shadow.window
            left[window] *= 1 - eye.strengthen(shadow.fill, scene.air[window], solid[window])
    return left


def project(image: Array, grid: Grid, view: View) -> Array:
    """Carry an image over the body plane onto the pixels of a view."""
    inverse = np.linalg.inv(np.array(view.matrix)).astype(np.float32)
    x = np.arange(view.width, dtype=np.float32)[None, :] + np.float32(0.5 - view.offset[0])
    y = np.arange(view.height, dtype=np.float32)[:, None] + np.float32(0.5 - view.offset[1])
    u = inverse[0, 0] * x + inverse[0, 1] * y
    v = inverse[1, 0] * x + inverse[1, 1] * y
    return sample(image, (u - grid.u[0, 0]) / np.float32(grid.step), (v - grid.v[0, 0]) / np.float32(grid.step))
