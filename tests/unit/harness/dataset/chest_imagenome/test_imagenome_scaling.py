"""The copy of a box on 224 × 224 pixels agrees with the box, and with no other."""

from hypothesis import assume, given
from hypothesis import strategies as st

from harness.dataset.chest_imagenome.scaling import Scaling
from harness.dataset.export.whole_pixels import Square

sizes = st.integers(300, 4000)
shares = st.lists(st.floats(0, 1), min_size=2, max_size=2, unique=True).map(sorted)


def written(square):
    top, bottom, left, right = square.pads
    return Scaling(ratio=square.ratio, left=left, top=top, right=right, bottom=bottom)


@st.composite
def boxes(draw):
    """An image's square, and a box of it in whole pixels."""
    width, height = draw(sizes), draw(sizes)
    (x0, x1), (y0, y1) = draw(shares), draw(shares)
    corners = round(x0 * width), round(y0 * height), round(x1 * width), round(y1 * height)
    return Square(width, height, 224), corners


@given(boxes())
def test_a_copy_agrees_with_its_box(drawn):
    square, corners = drawn
    assert written(square).agree(square.place(corners), corners)


@given(boxes())
def test_a_copy_lies_within_the_square(drawn):
    square, corners = drawn
    assert all(0 <= value <= 224 for value in square.place(corners))
    assert sum(square.pads[:2]) + round(square.height * square.ratio) == 224
    assert sum(square.pads[2:]) + round(square.width * square.ratio) == 224


@given(sizes, st.tuples(*[st.floats(0, 1)] * 4))
def test_corners_in_another_order_disagree(size, corners):
    x0, y0, x1, y1 = (round(share * size) for share in corners)
    square = Square(size, size, 224)
    assume(abs(x1 - y0) * square.ratio > 3)
    assert not written(square).agree(square.place((x0, x1, y0, y1)), (x0, y0, x1, y1))
