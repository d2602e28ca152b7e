import numpy as np
import pytest

from harness.dataset.phantom.raster import (
    add_ellipse,
    box_blur,
    dome,
    ellipse,
    make_grid,
    ramp,
    refine,
    sample,
    smooth,
    smooth_noise,
    splat,
    stretch,
    strokes,
)

GRID = make_grid(-1.0, 0.0, 1.0, 1.5, 0.01)


def test_a_grid_covers_its_rectangle() -> None:
    assert GRID.u[0, 0] == pytest.approx(-1.0)
    assert GRID.u[0, -1] >= 1.0
    assert GRID.v[-1, 0] >= 1.5
    assert GRID.shape == (151, 201)


def test_a_window_lies_within_the_grid_and_holds_its_rectangle() -> None:
    rows, columns = GRID.window(-0.5, 0.2, 0.25, 9.0)
    part = GRID.crop((rows, columns))
    assert part.u[0, 0] == pytest.approx(-0.5, abs=0.011)
    assert part.u[0, -1] == pytest.approx(0.25, abs=0.011)
    assert part.v[-1, 0] == GRID.v[-1, 0]


def test_the_two_halves_meet_at_the_midline_and_do_not_overlap() -> None:
    left, right = GRID.crop(GRID.half(1)), GRID.crop(GRID.half(-1))
    assert left.shape[1] + right.shape[1] == GRID.shape[1]
    assert right.u.max() < left.u.min()


def test_ramp_rises_from_0_to_1_over_its_width() -> None:
    assert ramp(np.array([-2.0, -0.5, 0.0, 0.5, 2.0]), 2.0).tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_an_ellipse_is_1_on_its_border_whichever_way_it_is_turned() -> None:
    radius2 = ellipse(GRID, 0.1, 0.7, 0.4, 0.2, np.pi / 2)  # turned upright: the long axis lies along v
    assert radius2[round(1.1 / 0.01), round(1.1 / 0.01)] == pytest.approx(1.0, abs=0.05)
    assert dome(radius2).max() == 1.0


def test_adding_an_ellipse_equals_drawing_it_on_the_whole_grid() -> None:
    canvas = np.zeros(GRID.shape, dtype=np.float32)
    add_ellipse(canvas, GRID, 0.5, (0.9, 0.1, 0.3, 0.2), 0.3)
    assert canvas == pytest.approx(0.5 * dome(ellipse(GRID, 0.9, 0.1, 0.3, 0.2), 0.3), abs=1e-6)


def test_an_ellipse_off_the_grid_leaves_the_canvas_alone() -> None:
    canvas = np.zeros(GRID.shape, dtype=np.float32)
    add_ellipse(canvas, GRID, 0.5, (-8.0, 20.0, 0.3, 0.2))
    assert not canvas.any()


@pytest.mark.parametrize("blur", [lambda image: smooth(image, 3), lambda image: box_blur(image, 4)])
def test_a_blur_keeps_a_flat_image_and_the_sum_of_a_point(blur) -> None:
    flat = np.full((40, 50), 0.25, dtype=np.float32)
    assert blur(flat) == pytest.approx(flat, abs=1e-6)
    point = np.zeros((40, 50), dtype=np.float32)
    point[20, 25] = 1
    assert blur(point).sum() == pytest.approx(1.0, abs=1e-4)
    assert blur(point).max() < 0.2


def test_box_blur_is_the_mean_over_its_window() -> None:
    image = np.random.default_rng(0).random((20, 30)).astype(np.float32)
    assert box_blur(image, 2)[10, 10] == pytest.approx(image[8:13, 8:13].mean(), abs=1e-5)


def test_splatted_points_keep_their_weight_and_their_centre() -> None:
    image = splat(GRID, np.array([0.123]), np.array([0.456]), np.array([2.0]))
    assert image.sum() == pytest.approx(2.0, abs=1e-5)
    assert (image * GRID.u).sum() / 2 == pytest.approx(0.123, abs=1e-4)
    assert (image * GRID.v).sum() / 2 == pytest.approx(0.456, abs=1e-4)


def test_points_off_the_grid_are_left_out() -> None:
    assert not splat(GRID, np.array([5.0, 0.0]), np.array([0.0, -3.0]), np.ones(2)).any()


@pytest.mark.parametrize("passes", [1, 2, 6])
def test_a_stroke_has_its_level_in_the_middle_of_the_line(passes: int) -> None:
    path = np.array([[(-0.6, 0.3), (0.0, 0.7), (0.7, 1.1)]])
    line = strokes(GRID, path, np.full((1, 3), 0.4), passes)
    assert line[70, 100] == pytest.approx(0.4, rel=0.25)
    assert line[20, 180] == 0.0


def test_a_stroke_off_the_grid_draws_nothing() -> None:
    assert not strokes(GRID, np.array([[(7.0, 7.0), (8.0, 8.0)]]), np.ones((1, 2)), 1).any()


@pytest.mark.parametrize("shape", [(150, 201), (151, 200), (151, 201)])
def test_refining_a_coarse_plane_gives_the_plane(shape: tuple[int, int]) -> None:
    grid = make_grid(0, 0, (shape[1] - 1.5) * 0.01, (shape[0] - 1.5) * 0.01, 0.01)
    coarse = grid.coarse()
    inner = (slice(0, shape[0] - 1), slice(0, shape[1] - 1))  # an odd last row or column repeats its neighbour
    assert grid.shape == shape
    assert refine(coarse.u + 2 * coarse.v, shape)[inner] == pytest.approx((grid.u + 2 * grid.v)[inner], abs=1e-5)


def test_stretching_keeps_the_corners() -> None:
    small = np.array([[0.0, 1.0], [2.0, 3.0]], dtype=np.float32)
    large = stretch(small, (7, 9))
    assert (large[0, 0], large[0, -1], large[-1, 0], large[-1, -1]) == (0, 1, 2, 3)
    assert large[3, 4] == pytest.approx(1.5)


def test_sampling_between_pixels_is_linear_and_clamped_at_the_border() -> None:
    image = np.arange(12, dtype=np.float32).reshape(3, 4)
    x, y = np.array([[0.5, 1.25, -9.0]], np.float32), np.array([[0.0, 1.5, 0.0]], np.float32)
    assert sample(image, x, y)[0].tolist() == pytest.approx([0.5, 7.25, 0.0])


def test_smooth_noise_has_mean_0_and_deviation_about_1() -> None:
    noise = smooth_noise(np.random.default_rng(0), (300, 400), 40)
    assert abs(noise.mean()) < 0.15
    assert 0.7 < noise.std() < 1.3
