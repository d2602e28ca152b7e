"""Drawing with numpy alone: soft edges, blurs, lines by splatting, smooth noise, resampling. Arrays are float32."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Points = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Grid:
    """A regular grid over the body plane: column j lies at u[0, j], row i at v[i, 0], `step` apart (body units)."""

    u: Array
    v: Array
    step: float

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, columns."""
        return self.v.shape[0], self.u.shape[1]

    def columns(self, u: Points) -> Points:
        """Fractional column of a body coordinate."""
        columns: Points = (u - self.u[0, 0]) / self.step
        return columns

    def rows(self, v: Points) -> Points:
        """Fractional row of a body coordinate."""
        rows: Points = (v - self.v[0, 0]) / self.step
        return rows

    def window(self, u0: float, v0: float, u1: float, v1: float) -> tuple[slice, slice]:
        """The rows and columns within a rectangle, cut to the grid (may be empty)."""
        height, width = self.shape
        top, bottom = (min(max(int((v - self.v[0, 0]) / self.step), 0), height) for v in (v0, v1))
        left, right = (min(max(int((u - self.u[0, 0]) / self.step), 0), width) for u in (u0, u1))
        return slice(top, bottom + 1), slice(left, right + 1)

    def coarse(self) -> "Grid":
        """Every second row and column: enough for soft shapes, at a quarter of the cost (`refine` goes back)."""
        return Grid(self.u[:, ::2], self.v[::2], 2 * self.step)

    def half(self, side: int) -> tuple[slice, slice]:
        """The half of the grid where u has the sign of `side`; the two halves do not overlap."""
        middle = min(max(int(np.ceil(-self.u[0, 0] / self.step)), 0), self.shape[1])
        return slice(None), slice(middle, None) if side > 0 else slice(None, middle)

    def crop(self, window: tuple[slice, slice]) -> "Grid":
        """The grid of a window."""
        return Grid(self.u[:, window[1]], self.v[window[0]], self.step)


def make_grid(u0: float, v0: float, u1: float, v1: float, step: float) -> Grid:
    """A grid that covers a rectangle."""
    columns, rows = int(np.ceil((u1 - u0) / step)) + 1, int(np.ceil((v1 - v0) / step)) + 1
    u = (u0 + step * np.arange(columns)).astype(np.float32)[None, :]
    v = (v0 + step * np.arange(rows)).astype(np.float32)[:, None]
    return Grid(u, v, step)


def ramp(distance: Points, width: float) -> Array:
    """A soft step: 0 below -width/2, 1 above width/2, straight between."""
    step = np.multiply(distance, np.float32(1.0 / width), dtype=np.float32)
    step += np.float32(0.5)
    return clip01(step)


def clip01(values: Array) -> Array:
    """Limit to 0 … 1 in place."""
    np.maximum(values, np.float32(0), out=values)
    np.minimum(values, np.float32(1), out=values)
    return values


def ellipse(grid: Grid, u: float, v: float, a: float, b: float, tilt: float = 0.0) -> Array:
    """Normalised squared radius of an ellipse: 0 at its centre, 1 on its border. `tilt` turns it clockwise, radians."""
    du, dv = grid.u - np.float32(u), grid.v - np.float32(v)
    if tilt == 0.0:
        return ((du / a) ** 2 + (dv / b) ** 2).astype(np.float32)
    cos, sin = np.float32(np.cos(tilt)), np.float32(np.sin(tilt))
    return (((du * cos + dv * sin) / a) ** 2 + ((dv * cos - du * sin) / b) ** 2).astype(np.float32)


def add_ellipse(
    canvas: Array, grid: Grid, level: float, shape: tuple[float, float, float, float], softness: float = 0.25
) -> None:
    """Add a soft-edged ellipse (u, v, a, b) to a canvas, touching only the window around it."""
    u, v, a, b = shape
    reach = np.sqrt(1 + softness)
    window = grid.window(u - reach * a, v - reach * b, u + reach * a, v + reach * b)
    if min(canvas[window].shape) > 0:
        canvas[window] += np.float32(level) * dome(ellipse(grid.crop(window), u, v, a, b), softness)


def dome(radius2: Array, softness: float = 0.25) -> Array:
    """1 inside an ellipse (radius² from `ellipse`), falling softly to 0 around its border."""
    return ramp(np.float32(1.0) - radius2, 2.0 * softness)


def smooth(image: Array, passes: int = 1) -> Array:
    """Binomial blur [1 2 1]/4 along both axes, edges repeated: a deviation of sqrt(n/2) pixels after n passes."""
    quarter, half = np.float32(0.25), np.float32(0.5)
    for _ in range(passes):
        for axis in (0, 1):
            source = image if axis == 0 else image.T
            blurred = source * half
            side = source * quarter
            blurred[1:] += side[:-1]
            blurred[:-1] += side[1:]
            blurred[0] += side[0]
            blurred[-1] += side[-1]
            image = blurred if axis == 0 else blurred.T
    return image


def box_blur(image: Array, radius: int) -> Array:
    """Mean over a (2r+1)² window, edges repeated, by running sums: its cost does not depend on the radius."""
    for axis in (0, 1):
        width = [(0, 0), (0, 0)]
        width[axis] = (radius + 1, radius)
        total = np.cumsum(np.pad(image, width, mode="edge"), axis=axis, dtype=np.float64)
        size = image.shape[axis]
        upper = np.take(total, range(2 * radius + 1, size + 2 * radius + 1), axis=axis)
        lower = np.take(total, range(size), axis=axis)
        image = ((upper - lower) / (2 * radius + 1)).astype(np.float32)
    return image


def splat(grid: Grid, u: Points, v: Points, weight: Points) -> Array:
    """Spread weighted points over their four nearest pixels; points off the grid are left out."""
    height, width = grid.shape
    x, y = grid.columns(np.ravel(u)), grid.rows(np.ravel(v))
    inside = (x >= 0) & (x < width - 1) & (y >= 0) & (y < height - 1)
    x, y, w = x[inside], y[inside], np.ravel(weight)[inside]
    column, row = x.astype(np.int64), y.astype(np.int64)
    fx, fy, index = x - column, y - row, row * width + column
    indices = np.concatenate([index, index + 1, index + width, index + width + 1])
    weights = np.concatenate([w * (1 - fx) * (1 - fy), w * fx * (1 - fy), w * (1 - fx) * fy, w * fx * fy])
    total = np.bincount(indices, weights, minlength=height * width)
    return total.reshape(height, width).astype(np.float32)


def strokes(grid: Grid, paths: Points, weight: Points, passes: int = 1) -> Array:
    """Draw polylines (P, K, 2) of body coordinates; `weight` (P, K) is the grey level at the middle of the line.

    The line's profile is that of `passes` binomial blurs. Only the window around the lines is worked on.
    """
    canvas = np.zeros(grid.shape, dtype=np.float32)
    margin = (passes + 2) * grid.step
    low, high = paths.min(axis=(0, 1)) - margin, paths.max(axis=(0, 1)) + margin
    window = grid.window(low[0], low[1], high[0], high[1])
    part = grid.crop(window)
    if min(part.shape) < 2:
        return canvas
    dense, level = _densify(paths, weight, grid.step)
    length = np.hypot(*np.moveaxis(np.diff(dense, axis=1), -1, 0)) / grid.step
    middle = 0.5 * (dense[:, 1:] + dense[:, :-1])
    peak = np.sqrt(np.pi * max(passes, 1))  # undoes the blur's loss: sqrt(2 pi) * sigma, sigma = sqrt(passes / 2)
    mass = 0.5 * (level[:, 1:] + level[:, :-1]) * length * peak
    canvas[window] = smooth(splat(part, middle[..., 0], middle[..., 1], mass), passes)
    return canvas


def _densify(paths: Points, weight: Points, step: float) -> tuple[Points, Points]:
    longest = float(np.max(np.hypot(*np.moveaxis(np.diff(paths, axis=1), -1, 0))))
    factor = max(1, int(np.ceil(longest / (1.4 * step))))
    knots = paths.shape[1]
    position = np.linspace(0, knots - 1, (knots - 1) * factor + 1)
    index = np.minimum(position.astype(int), knots - 2)
    share = position - index
    points = paths[:, index] * (1 - share)[None, :, None] + paths[:, index + 1] * share[None, :, None]
    return points, weight[:, index] * (1 - share) + weight[:, index + 1] * share


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], cells: int) -> Array:
    """Noise of mean 0 and deviation about 1, its grain 1/`cells` of the longer side, stretched from a small field."""
    height, width = shape
    longer = max(height, width)
    small = rng.standard_normal((max(2, cells * height // longer + 2), max(2, cells * width // longer + 2)))
    return stretch(small.astype(np.float32), shape) * np.float32(1.5)


def stretch(image: Array, shape: tuple[int, int]) -> Array:
    """Linear interpolation to another size, corners aligned, one axis after the other."""
    return _stretch_rows(_stretch_rows(image, shape[0]).T, shape[1]).T


def _stretch_rows(image: Array, size: int) -> Array:
    position = np.linspace(0.0, image.shape[0] - 1, size)
    index = np.minimum(position.astype(int), image.shape[0] - 2)
    share = (position - index).astype(np.float32)[:, None]
    rows: Array = image[index] * (1 - share) + image[index + 1] * share
    return rows


def refine(image: Array, shape: tuple[int, int]) -> Array:
    """Carry an image from `Grid.coarse()` back to the grid's own shape by linear interpolation."""
    return _refine_rows(_refine_rows(image, shape[0]).T, shape[1]).T


def _refine_rows(image: Array, size: int) -> Array:
    fine = np.empty((size, image.shape[1]), dtype=np.float32)
    fine[::2] = image
    between = fine[1::2]
    between[:] = image[: len(between)]
    between[: len(image) - 1] += image[1 : len(between) + 1]
    between[: len(image) - 1] *= np.float32(0.5)
    return fine


def sample(image: Array, x: Array, y: Array) -> Array:
    """Bilinear values at fractional columns and rows; coordinates are clamped to the border."""
    height, width = image.shape
    x, y = np.clip(x, 0, width - 1.001), np.clip(y, 0, height - 1.001)
    column, row = x.astype(np.int32), y.astype(np.int32)
    fx, fy = x - column, y - row
    index, flat = (row * width + column).astype(np.intp), image.ravel()
    top = flat.take(index)
    top += (flat[1:].take(index) - top) * fx
    bottom: Array = flat[width:].take(index)
    bottom += (flat[width + 1 :].take(index) - bottom) * fx
    bottom -= top
    bottom *= fy
    bottom += top
    return bottom
