"""Batches without end, from passes over the patients; where it stands can be written down and found again."""

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import numpy as np

from harness.settings import ConfigError

BatchT = TypeVar("BatchT")
Pass = Callable[[np.random.Generator], Iterator[BatchT]]
"""One pass over the patients: all that is drawn at random comes from the generator."""


class BatchStream(Generic[BatchT]):
    """Pass after pass from one generator.

    Args:
        one_pass: makes the batches of a pass.
        rng: its randomness.

    Iterating raises ConfigError when a pass has no batch.
    """

    def __init__(self, one_pass: Pass[BatchT], rng: np.random.Generator) -> None:
        self._one_pass, self._rng = one_pass, rng
        self._begin()

    def __iter__(self) -> Iterator[BatchT]:
        return self

    def __next__(self) -> BatchT:
        batch = next(self._batches, None)
        if batch is None:
            self._begin()
            batch = next(self._batches, None)
        if batch is None:
            raise ConfigError("schedule.batch: there are too few training patients to fill one batch: make it smaller")
        self._taken += 1
        return batch

    @property
    def position(self) -> dict[str, Any]:
        """The state of the generator when the pass began, and how many of its batches were taken: plain JSON values."""
        return {"pass": self._began, "taken": self._taken}

    def seek(self, position: dict[str, Any]) -> None:
        """Go to a `position`: the pass is drawn again up to there."""
        self._rng.bit_generator.state = position["pass"]
        self._begin()
        for _ in range(position["taken"]):
            next(self)

    def _begin(self) -> None:
        self._began, self._taken = self._rng.bit_generator.state, 0
        self._batches = self._one_pass(self._rng)
