"""A weighted metric over cells equals the metric over pixels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from benchmarks import per_pixel
from harness.metrics import score

CELL = 6  # pixels per cell and axis where the grid divides the frame


@st.composite
def maps(draw, rows, cols):
    """Maps with few distinct values, so that ties are frequent; or with many."""
    levels = draw(st.sampled_from([2, 4, 1000]))
    return draw(hnp.arrays(np.float64, (rows, cols), elements=st.integers(0, levels).map(float)))


@st.composite
def pixel_boxes(draw, height, width, margin=0):
    """Up to four half-open boxes on whole pixels, which may overlap and reach `margin` beyond the frame."""

    def interval(size):
        ends = st.lists(st.integers(-margin, size + margin), min_size=2, max_size=2, unique=True)
        return sorted(draw(ends))

    count = draw(st.integers(0, 4))
    spans = [(interval(width), interval(height)) for _ in range(count)]
    return [[x0, y0, x1, y1] for (x0, x1), (y0, y1) in spans]


@st.composite
def paper_cases(draw):
    rows, cols = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    height, width = draw(st.integers(1, 30)), draw(st.integers(1, 30))
    return draw(maps(rows, cols)), draw(pixel_boxes(height, width, margin=3)), (height, width)


@st.composite
def exact_cases(draw):
    rows, cols = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    height, width = rows * CELL, cols * CELL
    domain = draw(pixel_boxes(height, width).filter(bool))[0]
    return draw(maps(rows, cols)), draw(pixel_boxes(height, width, margin=3)), (height, width), domain


@given(paper_cases())
@settings(max_examples=300, deadline=None)
def test_profile_paper_equals_the_computation_over_pixels(case):
    grid, boxes, frame_size = case
    inclusive = [[x0, y0, x1 - 1, y1 - 1] for x0, y0, x1, y1 in boxes]
    plain = per_pixel.paper(grid, inclusive, frame_size)
    closed = score(grid[None], [inclusive], frame_size=frame_size, opt_out=[0.0], profile="paper")
    assert {name: closed[name][0] for name in plain} == pytest.approx(plain, abs=1e-9, nan_ok=True)


@given(exact_cases())
@settings(max_examples=300, deadline=None)
def test_profile_exact_equals_the_computation_over_the_pixels_of_the_image(case):
    grid, boxes, frame_size, domain = case
    plain = over_domain_pixels(grid, boxes, frame_size, domain)
    closed = score(grid[None], [boxes], frame_size=frame_size, opt_out=[0.0], domains=[tuple(domain)])
    assert {name: closed[name][0] for name in plain} == pytest.approx(plain, abs=1e-9, nan_ok=True)


CELLS, PER_CELL, FRAME = 19, 4, 224
"""The study's grid and frame: a cell is no whole number of pixels wide, but 4 steps of another mask."""


@st.composite
def supersampled_cases(draw):
    """A map of the study's grid, with boxes and an image whose edges lie on that mask."""
    fine = CELLS * PER_CELL
    across = draw(st.sampled_from([(0, fine), (5, fine - 5), (1, fine - 10)]))
    domain = draw(st.sampled_from([[*across, 0, fine], [0, fine, *across]]))
    box = [domain[0], domain[2], domain[1], domain[3]]
    return draw(maps(CELLS, CELLS)), draw(pixel_boxes(fine, fine, margin=6)), box


@given(supersampled_cases())
@settings(max_examples=25, deadline=None)
def test_profile_exact_equals_a_count_on_a_mask_that_cuts_the_cells_evenly(case):
    grid, boxes, domain = case
    fine = CELLS * PER_CELL
    counted = over_domain_pixels(grid, boxes, (fine, fine), domain)
    in_frame = (np.array([*boxes, domain], dtype=float) * FRAME / fine).tolist()
    closed = score(grid[None], [in_frame[:-1]], opt_out=[0.0], domains=[tuple(in_frame[-1])])
    assert {name: closed[name][0] for name in counted} == pytest.approx(counted, abs=1e-9, nan_ok=True)


@given(pixel_boxes(40, 40, margin=30).filter(bool))
@settings(deadline=None)
def test_what_is_lost_is_the_share_of_the_drawn_union_outside_the_frame(boxes):
    union = per_pixel.draw([[x0 + 30, y0 + 30, x1 + 30, y1 + 30] for x0, y0, x1, y1 in boxes], (100, 100))
    inside = union[30:70, 30:70].sum() / union.sum()
    assert score(np.ones((1, 3, 3)), [boxes], frame_size=(40, 40))["lost"][0] == pytest.approx(1 - inside)


def over_domain_pixels(grid, boxes, frame_size, domain):
    """Every spatial metric of profile `exact` from pixels alone, for boxes and domains on whole pixels."""
    image = per_pixel.draw([domain], frame_size)
    values = per_pixel.upsample(grid, frame_size)[image]
    label = per_pixel.draw(boxes, frame_size)[image]
    cell = per_pixel.upsample(np.arange(grid.size, dtype=float).reshape(grid.shape), frame_size)[image]
    if not label.any():
        return dict.fromkeys(["auroc", "iou_at_10", "pointing", "mass_in_box", "soft_iou", "cnr", "mean_iou"], np.nan)
    coverage = {c: label[cell == c].mean() for c in np.unique(cell)}
    covered = np.array([coverage[c] for c in cell])
    groups = [values == value for value in np.unique(values)]
    result = {
        "auroc": per_pixel.auroc(values, label),
        "avg_precision": average_precision_in_expectation(values, label),
        "pointing": np.mean([label[cell == c].mean() for c in np.unique(cell[values == values.max()])]),
        "mass_in_box": values[label].sum() / values.sum() if values.any() else np.nan,
        "soft_iou": soft_iou(values, covered),
        "cnr": cnr(values, label),
        "mean_iou": mean_iou(values, label),
        "tied_area": sum(tied.sum() for tied in groups if len(np.unique(cell[tied])) > 1) / len(values),
    }
    for percent in (5, 10, 20, 30):
        hit = expected_hits(values, label, len(values) * percent / 100)
        size = len(values) * percent / 100
        result[f"precision_at_{percent}"] = hit / size
        result[f"recall_at_{percent}"] = hit / label.sum()
        result[f"f1_at_{percent}"] = 2 * hit / (size + label.sum())
        result[f"iou_at_{percent}"] = hit / (size + label.sum() - hit)
    return result


def expected_hits(values, label, size):
    """The label's pixels among the `size` highest, each of those tied at the end entering by the same fraction."""
    hit, left = 0.0, size
    for value in np.unique(values)[::-1]:
        tied = values == value
        fraction = min(left / tied.sum(), 1.0)
        hit, left = hit + fraction * label[tied].sum(), left - fraction * tied.sum()
    return hit


def average_precision_in_expectation(values, label):
    """∫ precision d recall, tied pixels entering evenly, by Gauss-Legendre quadrature within each group of ties."""
    nodes, weights = np.polynomial.legendre.leggauss(40)
    total = hits = area = 0.0
    for value in np.unique(values)[::-1]:
        group, inside = (values == value).sum(), label[values == value].sum()
        fractions = (nodes + 1) / 2
        precision = (hits + fractions * inside) / (area + fractions * group)
        total += inside * (weights / 2 * precision).sum()
        hits, area = hits + inside, area + group
    return total / label.sum()


def soft_iou(values, covered):
    if not values.any():
        return np.nan
    relative = values / values.max()
    return np.minimum(relative, covered).sum() / np.maximum(relative, covered).sum()


def cnr(values, label):
    if label.all():
        return np.nan
    noise = np.sqrt(values[label].var() + values[~label].var())
    span = np.ptp(values)
    return (values[label].mean() - values[~label].mean()) / noise if noise > 1e-12 * span else np.nan


def mean_iou(values, label):
    if not values.any():
        return np.nan
    chosen = [values >= t * values.max() for t in (0.1, 0.2, 0.3, 0.4, 0.5)]
    return np.mean([(c & label).sum() / (c | label).sum() for c in chosen])
