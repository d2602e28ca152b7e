"""What perturbations borrow from the whole data set."""

from collections.abc import Iterable
from functools import cached_property

from harness.case import ImageRecord
from harness.perturbation.conditions import ConditionPool
from harness.perturbation.donors import DonorPool


class Pools:
    """Each pool is made by one pass over the records when it is first asked for, and shared."""

    def __init__(self, records: Iterable[ImageRecord]) -> None:
        self.records = records
        """The whole data set, for a perturbation that needs another pool."""

    @cached_property
    def donors(self) -> DonorPool:
        """All sentences."""
        return DonorPool.of(self.records)

    @cached_property
    def conditions(self) -> ConditionPool:
        """All conditions by their places."""
        return ConditionPool(self.records)
