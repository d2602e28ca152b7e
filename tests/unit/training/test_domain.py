"""Domain randomisation: boxes stay with the picture, padding stays black, and nothing else is sacred."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.domain import Crop, DomainConfig, centre_crop, develop, draw_crop
from wronglung.geometry import letterbox
from wronglung.model.image import network_input

SQUARE, CROP, SIDE = 256, 224, 160
STILL = DomainConfig(
    shift=0, zoom=0, aspect=0, gamma=0, contrast=0, brightness=0, inverted=0, equalised=0, blur=0, sharpen=0,
    shading=0, noise=0, patches=0,
)  # fmt: skip


def square_with_a_block(x0: int, y0: int, x1: int, y1: int) -> npt.NDArray[np.uint8]:
    square = np.full((SQUARE, SQUARE), 40, np.uint8)
    square[y0:y1, x0:x1] = 240
    return square


def test_the_centre_crop_is_the_frame_as_it_is_served() -> None:
    torch = pytest.importorskip("torch")
    square = np.random.default_rng(0).integers(0, 256, (SQUARE, SQUARE), dtype=np.uint8)
    served = torch.from_numpy(square[16:240, 16:240].astype(np.float32) / 255)
    ours = centre_crop(SQUARE, CROP, SIDE).cut(square)
    theirs = network_input(served[None], SIDE)[0, 0].numpy()
    assert np.abs(ours - theirs)[2:-2, 2:-2].mean() < 0.07, "corners aligned or not: half a pixel apart, no more"
    smooth = np.tile(np.arange(SQUARE, dtype=np.uint8), (SQUARE, 1))
    served = torch.from_numpy(smooth[16:240, 16:240].astype(np.float32) / 255)
    ours = centre_crop(SQUARE, CROP, SIDE).cut(smooth)
    np.testing.assert_allclose(ours, network_input(served[None], SIDE)[0, 0].numpy(), atol=0.01)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_a_box_stays_around_what_it_was_drawn_around(seed: int) -> None:
    rng = np.random.default_rng(seed)
    crop = draw_crop(SQUARE, CROP, SIDE, DomainConfig(), rng)
    block = (110, 100, 150, 160)
    picture = crop.cut(square_with_a_block(*block))
    x0, y0, x1, y1 = crop.to_frame(block)
    inside = picture[max(0, round(y0)) + 2 : round(y1) - 2, max(0, round(x0)) + 2 : round(x1) - 2]
    assert inside.size > 100
    assert (inside > 0.9).all()
    outline = np.ones_like(picture, bool)
    outline[max(0, round(y0) - 2) : round(y1) + 2, max(0, round(x0) - 2) : round(x1) + 2] = False
    assert (picture[outline] < 0.2).all()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_crops_stay_within_what_is_allowed(seed: int) -> None:
    config = DomainConfig(shift=0.1, zoom=0.2, aspect=0.1)
    crop = draw_crop(SQUARE, CROP, SIDE, config, np.random.default_rng(seed))
    width, height = SIDE / crop.scale_x, SIDE / crop.scale_y
    assert np.exp(-0.2 - 0.05) <= width / CROP <= np.exp(0.2 + 0.05)
    assert np.exp(-0.1) - 1e-9 <= width / height <= np.exp(0.1) + 1e-9
    assert abs(crop.x + width / 2 - SQUARE / 2) <= 0.1 * CROP + 1e-9


def test_nothing_changes_when_nothing_may() -> None:
    rng = np.random.default_rng(0)
    assert draw_crop(SQUARE, CROP, SIDE, STILL, rng) == centre_crop(SQUARE, CROP, SIDE)
    picture = np.random.default_rng(1).random((SIDE, SIDE), dtype=np.float32)
    np.testing.assert_allclose(develop(picture, STILL, rng), picture, atol=1e-6)


def test_padding_stays_black_and_levels_stay_in_range() -> None:
    frame = letterbox(100, 50, longer_side=SQUARE, crop=SQUARE)
    square = np.zeros((SQUARE, SQUARE), np.uint8)
    square[frame.offset_y : frame.offset_y + frame.resized_height] = 120
    cut = centre_crop(SQUARE, CROP, SIDE).cut(square)
    for seed in range(60):
        picture = develop(cut, DomainConfig(inverted=0.5), np.random.default_rng(seed))
        assert picture.dtype == np.float32
        assert 0 <= picture.min() <= picture.max() <= 1
        assert (picture[:30] == 0).all()


def test_the_same_generator_gives_the_same_picture() -> None:
    cut = Crop(0, 0, 1, 1, SIDE).cut(np.random.default_rng(0).integers(1, 256, (SQUARE, SQUARE), dtype=np.uint8))
    first, again, other = (develop(cut, DomainConfig(), np.random.default_rng(seed)) for seed in (7, 7, 8))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
