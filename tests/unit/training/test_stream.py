"""Batches without end whose place can be found again."""

import json
from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest

from harness.settings import ConfigError
from training.stream import BatchStream


def one_pass(rng: np.random.Generator) -> Iterator[tuple[int, float]]:
    """Three numbers in random order, each with a draw of its own."""
    for number in rng.permutation(3).tolist():
        yield number, rng.random()


def stream(seed: int = 0) -> BatchStream[tuple[int, float]]:
    return BatchStream(one_pass, np.random.default_rng(seed))


def test_passes_follow_one_another_from_one_generator() -> None:
    rng = np.random.default_rng(0)
    expected = [item for _ in range(4) for item in one_pass(rng)]
    assert list(islice(stream(), 12)) == expected


def test_a_pass_without_a_batch_is_told_with_the_fix() -> None:
    empty: BatchStream[int] = BatchStream(lambda rng: iter(()), np.random.default_rng(0))
    with pytest.raises(ConfigError, match=r"schedule\.batch: there are too few training patients"):
        next(empty)


def test_the_place_survives_as_json_anywhere_in_a_pass() -> None:
    undisturbed = list(islice(stream(), 12))
    for taken in range(8):
        stopped, resumed = stream(), stream(seed=1)
        list(islice(stopped, taken))
        resumed.seek(json.loads(json.dumps(stopped.position)))
        assert list(islice(resumed, 12 - taken)) == undisturbed[taken:]
