"""The border of a mask, as the gallery draws it."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from harness.mask import encode
from harness.report.contour import FINEST, coarse, contour

STROKE = re.compile(r"M([\d.]+) ([\d.]+)([hv])([\d.]+)")


def strokes(path: str) -> list[tuple[float, float, str, float]]:
    found = STROKE.findall(path)
    assert "".join(f"M{x} {y}{way}{length}" for x, y, way, length in found) == path
    return [(float(x), float(y), way, float(length)) for x, y, way, length in found]


def test_a_full_mask_is_bounded_by_its_box() -> None:
    path = contour(encode(np.ones((10, 20), dtype=bool)), (100.0, 50.0, 140.0, 60.0))
    assert sorted(strokes(path)) == [(100, 50, "h", 40), (100, 50, "v", 10), (100, 60, "h", 40), (140, 50, "v", 10)]


@given(arrays.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
@settings(deadline=None)
def test_the_strokes_lie_where_inside_meets_outside(bitmap: np.ndarray) -> None:
    rows, cols = bitmap.shape
    path = contour(encode(bitmap), (0.0, 0.0, float(cols), float(rows)))
    padded = np.pad(bitmap, 1)
    lengths = {"h": (padded[1:] != padded[:-1]).sum(), "v": (padded[:, 1:] != padded[:, :-1]).sum()}
    for way, expected in lengths.items():
        assert sum(length for _, _, w, length in strokes(path) if w == way) == pytest.approx(expected)


def test_a_large_mask_is_drawn_coarsely() -> None:
    bitmap = np.hypot(*np.indices((900, 700)) - np.array([450, 350])[:, None, None]) < 340
    small = coarse(bitmap, FINEST)
    assert small.shape == (FINEST, FINEST)
    assert small.mean() == pytest.approx(bitmap.mean(), abs=0.01)
    assert len(contour(encode(bitmap), (0, 0, 700, 900))) < 20_000
