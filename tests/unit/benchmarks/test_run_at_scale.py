"""Memory does not grow with the data set."""

import pytest

from benchmarks.run_at_scale import TIMES, measure_apart

IMAGES = 100
QUICK = {"profiles": ["exact"], "perturbations": ["none", "swap_left_right"], "subsets": ["all"], "resamples": 100}


@pytest.mark.slow
def test_ten_times_the_images_take_no_more_memory():
    small, large = (measure_apart(images, **QUICK) for images in (IMAGES, IMAGES * TIMES))
    assert large["mib"] <= 1.05 * small["mib"]
