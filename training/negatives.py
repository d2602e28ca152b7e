"""Which pairs of a batch are no true negatives: they leave both softmaxes of the contrastive losses.

Shapes: B images (rows) with one sentence each (columns).
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from harness.case import Sentence
from training.claims import exchange_sides
from training.studies import Study
from training.truth import is_true, true_pairs


def false_negatives(studies: Sequence[Study], sentences: Sequence[Sentence]) -> Tensor:
    """(B, B) bool: off the diagonal, whether a sentence (column) is known to be true of a study (row)."""
    return _off_diagonal(torch.tensor(true_pairs(studies, sentences)))


def repeated_texts(sentences: Sequence[Sentence]) -> Tensor:
    """(B, B) bool: off the diagonal, whether a sentence (column) reads like the one that the row was paired with.

    For the control whose pairs were drawn by chance: it must not be told what is true of an image. Leaving out the
    true pairs would tell it, as the remaining negatives would all be false and the positives some of them true.
    """
    texts = [sentence.text for sentence in sentences]
    return _off_diagonal(torch.tensor([[text == other for other in texts] for text in texts]))


class HardNegative(NamedTuple):
    """A sentence about the other side that is false for an image."""

    image: int
    """The row of the batch."""
    sentence: Sentence


def hard_negatives(studies: Sequence[Study], sentences: Sequence[Sentence]) -> list[HardNegative]:
    """For every sentence that names exactly one side the same about the other side, where it is not true of its image.

    Of a phantom everything is known. Of a patient only the report: there a sentence about the other side counts as
    false if the report's own states an abnormal finding, for one on the other side would have been reported too. What
    is normal or denied is no such evidence.

    Args:
        studies: one image each.
        sentences: of their own reports; words may be hidden, and a hidden side is not exchanged.
    """
    found = []
    for row, (study, sentence) in enumerate(zip(studies, sentences, strict=True)):
        other = exchange_sides(sentence)
        if other is None or (study.facts is None and (sentence.negated or not sentence.abnormal)):
            continue
        if not is_true(other, study):
            found.append(HardNegative(row, other))
    return found


def _off_diagonal(pairs_BB: Tensor) -> Tensor:
    return pairs_BB & ~torch.eye(len(pairs_BB), dtype=torch.bool)
