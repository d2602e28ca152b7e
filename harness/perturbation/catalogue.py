"""Every perturbation by its key."""

from collections.abc import Callable, Sequence

from harness.dataset.base import Dataset
from harness.perturbation.base import Perturbation, Unperturbed
from harness.perturbation.donors import DonorPool, random_boxes, random_sentences
from harness.perturbation.mirror import Mirror
from harness.perturbation.shuffle import ShuffleInReport
from harness.perturbation.swap import SwapLeftRight, SwapLeftRightPaper
from harness.perturbation.synthetic import SyntheticSentences

PoolFactory = Callable[[], DonorPool]
Factory = Callable[[PoolFactory, int], Perturbation]

PERTURBATIONS: dict[str, Factory] = {
    "none": lambda pool, seed: Unperturbed(),
    "swap_left_right": lambda pool, seed: SwapLeftRight(),
    "swap_left_right_paper": lambda pool, seed: SwapLeftRightPaper(),
    "random_sentences": lambda pool, seed: random_sentences(pool(), seed),
    "shuffle_in_report": lambda pool, seed: ShuffleInReport(seed),
    "random_bboxes": lambda pool, seed: random_boxes(pool(), seed),
    "synthetic_sentences": lambda pool, seed: SyntheticSentences(),
    "mirror_image": lambda pool, seed: Mirror("mirror_image", swap_text=False),
    "mirror_both": lambda pool, seed: Mirror("mirror_both", swap_text=True),
}


def make_perturbations(names: Sequence[str], dataset: Dataset, seed: int) -> tuple[Perturbation, ...]:
    """The named perturbations. Those that borrow share one pool, which is made by one pass over the records.

    Raises:
        ValueError: a name is unknown.
    """
    unknown = sorted(set(names) - set(PERTURBATIONS))
    if unknown:
        raise ValueError(f"unknown perturbation {unknown[0]!r}: choose from {', '.join(PERTURBATIONS)}")
    pools: list[DonorPool] = []

    def pool() -> DonorPool:
        if not pools:
            pools.append(DonorPool.of(dataset))
        return pools[0]

    return tuple(PERTURBATIONS[name](pool, seed) for name in names)
