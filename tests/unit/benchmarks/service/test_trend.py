"""A leak is told from noise."""

import numpy as np
import pytest

from benchmarks.service.trend import trend

TIMES = np.arange(0, 1200, 5.0)
ALLOWED = 8.0
"""MiB an hour."""


def noisy(leak_per_hour: float, noise: float = 2.0) -> list[float]:
    rng = np.random.default_rng(0)
    return list(400 + leak_per_hour * TIMES / 3600 + rng.normal(0, noise, len(TIMES)))


def test_noise_alone_is_flat() -> None:
    found = trend(TIMES, noisy(0))
    assert found.lo < 0 < found.hi
    assert found.verdict(ALLOWED) == "flat"


def test_a_leak_grows_and_its_size_is_found() -> None:
    found = trend(TIMES, noisy(60))
    assert found.lo < 60 < found.hi
    assert found.verdict(ALLOWED) == "grows"


def test_what_noise_hides_is_within_noise() -> None:
    assert trend(TIMES, noisy(0, noise=40)).verdict(ALLOWED) == "within noise"


def test_what_is_shown_to_grow_must_be_shown_to_stay_below_what_is_allowed() -> None:
    assert trend(TIMES, noisy(4)).verdict(ALLOWED) == "flat"
    found = trend(TIMES, noisy(8))
    assert 0 < found.lo < ALLOWED < found.hi
    assert found.verdict(ALLOWED) == "grows"


def test_what_never_changes_is_flat() -> None:
    assert trend(TIMES, [17.0] * len(TIMES)).verdict(1e-6) == "flat"


def test_a_trend_of_a_few_minutes_is_none() -> None:
    with pytest.raises(ValueError, match="600 s"):
        trend(TIMES[:40], noisy(0)[:40])
