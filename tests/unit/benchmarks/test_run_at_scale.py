"""Memory does not grow with the data set."""

import sys

import numpy as np
import pytest

from benchmarks.run_at_scale import TIMES, measure_apart, peak_mib

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

IMAGES = 100
QUICK = {"profiles": ["exact"], "perturbations": ["none", "swap_left_right"], "subsets": ["all"], "resamples": 100}


@pytest.mark.slow
def test_ten_times_the_images_take_no_more_memory():
    small, large = (measure_apart(images, **QUICK) for images in (IMAGES, IMAGES * TIMES))
    assert large["mib"] <= 1.05 * small["mib"]


def test_the_peak_is_seen():
    """What is measured is memory that was there for a moment."""
    before = peak_mib()
    assert np.ones(int(before * 2**20 / 8) * 2).sum() > 0
    assert peak_mib() > 1.5 * before
