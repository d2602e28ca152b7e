"""Cell coverage is the exact area of a union, never a sum over boxes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import per_pixel
from harness.metrics import coverage

SIZE, CELLS = 24, 5
coordinate = st.floats(-10, 40, allow_nan=False)
real_boxes = st.lists(st.tuples(coordinate, coordinate, coordinate, coordinate).map(list), max_size=5)


def areas(boxes, size=SIZE, cells=CELLS):
    edges = coverage.even_edges(size, cells)
    return coverage.union_areas(coverage.pack([boxes]), edges, edges)[0]


@given(st.lists(st.lists(st.integers(-5, 30), min_size=4, max_size=4), max_size=5))
@settings(deadline=None)
def test_whole_pixels_are_counted_as_in_a_drawn_mask(boxes):
    frame = coverage.even_edges(SIZE, SIZE)
    drawn = per_pixel.draw(boxes, (SIZE, SIZE))
    assert (coverage.union_areas(coverage.pack([boxes]), frame, frame)[0] == drawn).all()


@given(real_boxes, real_boxes)
@settings(deadline=None)
def test_union_and_intersection_add_up(boxes, others):
    crossed = [
        [max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])]
        for a in boxes
        for b in others
        if a[0] < a[2] and a[1] < a[3] and b[0] < b[2] and b[1] < b[3]
    ]
    assert areas(boxes + others) + areas(crossed) == pytest.approx(areas(boxes) + areas(others), abs=1e-9)


@given(real_boxes)
@settings(deadline=None)
def test_a_box_twice_changes_nothing(boxes):
    assert (areas(boxes + boxes) == areas(boxes)).all()


@given(st.lists(real_boxes, min_size=1, max_size=6))
@settings(deadline=None)
def test_a_map_is_covered_alike_whatever_is_computed_with_it(many):
    edges = coverage.even_edges(SIZE, CELLS)
    together = coverage.union_areas(coverage.pack(many), edges, edges)
    assert all((together[i] == areas(boxes)).all() for i, boxes in enumerate(many))


def test_the_cells_of_a_covered_frame_add_up_to_its_area():
    assert areas([[-1, -1, 300, 300]], size=224, cells=19).sum() == pytest.approx(224 * 224)


def test_an_inside_out_box_covers_nothing():
    assert areas([[10, 10, 5, 20]]).sum() == 0


def test_union_area_counts_what_lies_outside_the_frame():
    assert coverage.union_area(coverage.pack([[[-10, 0, 10, 10], [0, 0, 10, 20]], []])).tolist() == [300, 0]


def test_pixel_edges_are_where_nearest_neighbour_upsampling_changes_cell():
    source = np.arange(224) * 19 // 224
    assert coverage.pixel_edges(224, 19)[1:-1].tolist() == (np.flatnonzero(np.diff(source)) + 1).tolist()


@pytest.mark.parametrize(
    "boxes", [[[1, 2, 3]], [1, 2, 3, 4], [[1, 2, 3, float("nan")]], [[1, 2, 3, 4], [5, 6]], [None]]
)
def test_what_is_no_box_is_refused(boxes):
    with pytest.raises(ValueError, match="box"):
        coverage.pack([boxes])


def test_a_domain_for_every_map_is_wanted():
    with pytest.raises(ValueError, match="one domain per map"):
        coverage.domain_rects([None], 2, (SIZE, SIZE))


@given(st.lists(st.lists(st.integers(-5, 30), min_size=4, max_size=4), min_size=1, max_size=8))
@settings(deadline=None)
def test_disjoint_boxes_cover_what_the_boxes_cover_and_each_place_once(boxes):
    frame = coverage.even_edges(SIZE, SIZE)
    pieces = coverage.disjoint(np.array(boxes, dtype=float))
    assert (coverage.sum_areas(pieces, frame, frame) == per_pixel.draw(boxes, (SIZE, SIZE))).all()


@given(st.lists(real_boxes, min_size=1, max_size=4))
@settings(deadline=None, max_examples=20)
def test_the_many_boxes_of_a_mask_cover_as_few_would(many):
    edges = coverage.even_edges(SIZE, CELLS)
    few = [[[2.5, 3, 11, 9.25], [0, 0, 4, 30]], *many]
    slices = [[2.5 + 8.5 * i / 100, 3, 2.5 + 8.5 * (i + 1) / 100, 9.25] for i in range(100)]
    together = coverage.union_areas(coverage.pack([[*slices, [0, 0, 4, 30]], *many]), edges, edges)
    assert together == pytest.approx(coverage.union_areas(coverage.pack(few), edges, edges), abs=1e-9)
    assert (together[1:] == coverage.union_areas(coverage.pack(many), edges, edges)).all()
