"""Every perturbation by its key."""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

from harness.case import ImageRecord
from harness.perturbation.base import Perturbation, Unperturbed
from harness.perturbation.conditions import ConditionPool, SyntheticSwappedConditions
from harness.perturbation.donors import DonorPool, random_boxes, random_sentences
from harness.perturbation.mirror import Mirror
from harness.perturbation.shuffle import ShuffleInReport
from harness.perturbation.swap import SwapLeftRight, SwapLeftRightPaper
from harness.perturbation.synthetic import SyntheticSentences


class Pools:
    """What perturbations borrow from the whole data set: each pool is made by one pass when it is first asked for."""

    def __init__(self, records: Iterable[ImageRecord]) -> None:
        self._records = records

    @cached_property
    def donors(self) -> DonorPool:
        """All sentences."""
        return DonorPool.of(self._records)

    @cached_property
    def conditions(self) -> ConditionPool:
        """All conditions by their places."""
        return ConditionPool(self._records)


Factory = Callable[[Pools, int], Perturbation]

PERTURBATIONS: dict[str, Factory] = {
    "none": lambda pools, seed: Unperturbed(),
    "swap_left_right": lambda pools, seed: SwapLeftRight(),
    "swap_left_right_paper": lambda pools, seed: SwapLeftRightPaper(),
    "random_sentences": lambda pools, seed: random_sentences(pools.donors, seed),
    "shuffle_in_report": lambda pools, seed: ShuffleInReport(seed),
    "random_bboxes": lambda pools, seed: random_boxes(pools.donors, seed),
    "synthetic_sentences": lambda pools, seed: SyntheticSentences(),
    "synthetic_swapped_conditions": lambda pools, seed: SyntheticSwappedConditions(pools.conditions, seed),
    "mirror_image": lambda pools, seed: Mirror("mirror_image", swap_text=False),
    "mirror_both": lambda pools, seed: Mirror("mirror_both", swap_text=True),
}


def make_perturbations(names: Sequence[str], records: Iterable[ImageRecord], seed: int) -> tuple[Perturbation, ...]:
    """The named perturbations of a data set. Those that borrow share their pools.

    Raises:
        ValueError: a name is unknown.
    """
    unknown = sorted(set(names) - set(PERTURBATIONS))
    if unknown:
        raise ValueError(f"unknown perturbation {unknown[0]!r}: choose from {', '.join(PERTURBATIONS)}")
    pools = Pools(records)
    return tuple(PERTURBATIONS[name](pools, seed) for name in names)
