"""The perturbations that ship, and how to make those of a run."""

from collections.abc import Iterable, Sequence

from harness.case import ImageRecord
from harness.perturbation.base import Perturbation, Unperturbed
from harness.perturbation.conditions import SyntheticSwappedConditions
from harness.perturbation.donors import random_boxes, random_sentences
from harness.perturbation.mirror import Mirror
from harness.perturbation.negation import Negation
from harness.perturbation.paraphrase import Paraphrase
from harness.perturbation.pools import Pools
from harness.perturbation.registry import Declaration, registered
from harness.perturbation.shuffle import ShuffleInReport
from harness.perturbation.swap import SwapLeftRight, SwapLeftRightPaper
from harness.perturbation.synthetic import SyntheticSentences
from wronglung.keys import suggest

BUILTIN: tuple[Declaration, ...] = (
    Declaration(
        name="none",
        label="as written",
        description="The sentence of the report, unchanged.",
        make=lambda pools, seed: Unperturbed(),
    ),
    Declaration(
        name="swap_left_right",
        label="left ↔ right swapped",
        description="Every left becomes right and every right becomes left: whole words, left-sided, leftward, lobes "
        "(LUL, LLL); the boxes stay. Sentences that name both sides are counted on their own, as `both_sides`.",
        not_for="sentences that name no side, or the RML",
        make=lambda pools, seed: SwapLeftRight(),
    ),
    Declaration(
        name="swap_left_right_paper",
        label="left ↔ right swapped, as published",
        description="As above by the published procedure: lower case, parts of words too.",
        not_for="sentences without these letters",
        make=lambda pools, seed: SwapLeftRightPaper(),
    ),
    Declaration(
        name="negation",
        label="denial added or dropped",
        description="What is there is said not to be there, and what is not is said to be; the boxes stay.",
        not_for="sentences of more than one statement, or of no form with a plain denial",
        make=lambda pools, seed: Negation(),
    ),
    Declaration(
        name="paraphrase",
        label="other wording",
        description="The data set's second wording of the sentence, which states the same; the boxes stay.",
        not_for="sentences without a second wording",
        make=lambda pools, seed: Paraphrase(),
    ),
    Declaration(
        name="shuffle_in_report",
        label="shuffled in report",
        description="Boxes are exchanged among the sentences of one image; nothing is sent anew.",
        not_for="sentences without boxes, and where no other boxes are left",
        make=lambda pools, seed: ShuffleInReport(seed),
    ),
    Declaration(
        name="random_sentences",
        label="random sentence",
        description="The text comes from another patient's report; the boxes stay.",
        not_for="a data set of one patient",
        make=lambda pools, seed: random_sentences(pools.donors, seed),
    ),
    Declaration(
        name="random_bboxes",
        label="random boxes",
        description="The boxes come from another patient's image, at their place in the model's frame; the text stays, "
        "and nothing is sent anew.",
        not_for="a data set of one patient",
        make=lambda pools, seed: random_boxes(pools.donors, seed),
    ),
    Declaration(
        name="synthetic_sentences",
        label="synthetic sentence",
        description="The text is written anew from the annotations; the boxes stay.",
        not_for="sentences without annotations",
        make=lambda pools, seed: SyntheticSentences(),
    ),
    Declaration(
        name="synthetic_swapped_conditions",
        label="synthetic, other condition",
        description="As synthetic, with other conditions that occur at the same places; compared with the synthetic "
        "sentence.",
        not_for="sentences without annotations, or without other conditions at their places",
        baseline="synthetic_sentences",
        make=lambda pools, seed: SyntheticSwappedConditions(pools.conditions, seed),
    ),
    Declaration(
        name="mirror_image",
        label="image mirrored",
        description="Image and boxes are flipped left to right; the text stays.",
        make=lambda pools, seed: Mirror("mirror_image", swap_text=False),
    ),
    Declaration(
        name="mirror_both",
        label="image and text mirrored",
        description="Image and boxes are flipped, and left and right swapped in the text.",
        not_for="sentences that name the RML",
        make=lambda pools, seed: Mirror("mirror_both", swap_text=True),
    ),
)


def make_perturbations(names: Sequence[str], records: Iterable[ImageRecord], seed: int) -> tuple[Perturbation, ...]:
    """The named perturbations of a data set. Those that borrow share their pools.

    Raises:
        ValueError: a name is unknown, or a perturbation goes by another name than it was declared with.
    """
    known, pools = registered(), Pools(records)
    for name in names:
        if name not in known:
            raise ValueError(f"unknown perturbation {name!r}{suggest(name, known)}")
    made = tuple(known[name].make(pools, seed) for name in names)
    for name, perturbation in zip(names, made, strict=True):
        if perturbation.name != name:
            raise ValueError(f"perturbation {name!r} makes cases of {perturbation.name!r}: give both one name")
    return made
