"""Specification of the overlay: a cell lights exactly the part of the original image that it covers."""

import numpy as np
import pytest

from wronglung.alignment import Alignment, ModelIdentity
from wronglung.errors import SentenceEmpty
from wronglung.geometry import letterbox
from wronglung.overlay import Panel, draw, heat, panels

SHAPES = [(640, 480), (480, 640), (512, 512), (900, 300)]


@pytest.mark.parametrize(("width", "height"), SHAPES)
@pytest.mark.parametrize(("row", "col"), [(9, 9), (5, 12), (14, 3)])
def test_a_hot_cell_lights_its_own_rectangle(width: int, height: int, row: int, col: int) -> None:
    frame = letterbox(width, height)
    values = np.zeros((19, 19), np.float32)
    values[row, col] = 1.0
    picture = heat(values, frame, width, height)
    x0, y0, x1, y1 = frame.cell(row, col, 19, 19)
    ys, xs = np.mgrid[0.5:height, 0.5:width]
    inside = (xs >= x0) & (xs < x1) & (ys >= y0) & (ys < y1)
    np.testing.assert_array_equal(picture == 1.0, inside)


@pytest.mark.parametrize(("width", "height"), SHAPES)
def test_nothing_is_drawn_where_the_crop_cuts_the_image_off(width: int, height: int) -> None:
    frame = letterbox(width, height)
    picture = heat(np.ones((19, 19), np.float32), frame, width, height)
    x0, y0, x1, y1 = frame.covered
    ys, xs = np.mgrid[0.5:height, 0.5:width]
    np.testing.assert_array_equal(np.isnan(picture), (xs < x0) | (xs >= x1) | (ys < y0) | (ys >= y1))


def test_colour_appears_only_where_the_map_stands_out() -> None:
    values = np.full((19, 19), 0.5 / 360, np.float32)
    values[4, 4] = 0.5
    frame = letterbox(300, 300)
    sheet = np.asarray(
        draw(np.full((300, 300), 128, np.uint8), frame, [Panel(values, "text", "note")], longer_side=300)
    )
    picture = sheet[8:308, 8:308].astype(int)
    coloured = np.ptp(picture, axis=-1) > 8
    x0, y0, x1, y1 = frame.cell(4, 4, 19, 19)
    ys, xs = np.nonzero(coloured)
    assert (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1) == pytest.approx((x0, y0, x1, y1), abs=1)


def test_an_even_map_leaves_the_image_as_it_is() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (200, 200), dtype=np.uint8)
    even = Panel(np.full((19, 19), 1 / 361, np.float32), "text", "note")
    sheet = np.asarray(draw(pixels, letterbox(200, 200), [even], longer_side=200))
    np.testing.assert_array_equal(sheet[8:208, 8:208, 0], pixels)


def test_a_sentence_without_map_shows_the_plain_image() -> None:
    failed = Panel(np.full((19, 19), np.nan, np.float32), "text", "no map: nothing is left")
    sheet = np.asarray(draw(np.full((100, 100), 77, np.uint8), letterbox(100, 100), [failed], longer_side=100))
    assert (sheet[8:108, 8:108] == 77).all()


def test_sixteen_bits_are_shown_as_eight() -> None:
    even = Panel(np.full((19, 19), 1 / 361, np.float32), "", "")
    sheet = np.asarray(draw(np.full((50, 50), 0x8000, np.uint16), letterbox(50, 50), [even], longer_side=50))
    assert (sheet[8:58, 8:58] == 0x80).all()


def test_an_image_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="belongs"):
        draw(np.zeros((10, 10), np.uint8), letterbox(11, 10), [Panel(np.ones((19, 19), np.float32), "", "")])


def test_many_panels_stand_in_rows_of_four() -> None:
    pixels = np.full((100, 50), 200, np.uint8)
    even = Panel(np.full((19, 19), 1 / 361, np.float32), "text", "note")
    sheet = draw(pixels, letterbox(50, 100), [even] * 6, longer_side=100)
    shown = np.asarray(sheet)[..., 0] == 200
    assert shown[:, 8:58].any()
    picture_rows = np.flatnonzero(shown[:, 8:58].mean(axis=1) == 1.0)
    assert len(picture_rows) == 200  # two rows of pictures in the first column
    assert (shown[picture_rows[0]].sum(), shown[picture_rows[-1]].sum()) == (4 * 50, 2 * 50)


def test_the_note_says_what_was_withheld_and_how_much_the_peak_stands_out() -> None:
    maps = np.full((2, 2, 2), 0.1, np.float32)
    maps[0, 1, 1] = 0.5
    found = Alignment(
        maps=maps,
        opt_out=np.array([0.2, np.nan], np.float32),
        local_similarity=np.zeros(2, np.float32),
        global_similarity=np.zeros(2, np.float32),
        words=(("[CLS]",), ()),
        truncated=np.zeros(2, np.bool_),
        errors=(None, SentenceEmpty("nothing is left")),
        frame=letterbox(10, 10),
        model=ModelIdentity("encoder", "1.0", "ab" * 32),
    )
    first, second = panels(found, ["Opacity.", ""])
    assert (first.caption, first.note) == ("Opacity.", "opt-out mass 0.2000; peak 2.0 x an even map")
    assert second.note == "no map: nothing is left"
    with pytest.raises(ValueError, match="3 sentences"):
        panels(found, ["a", "b", "c"])
