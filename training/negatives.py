"""Which pairs of a batch are no true negatives: they leave both softmaxes of the contrastive losses.

Shapes: B images (rows) with one sentence each (columns).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from harness.case import Sentence
from training.studies import Study
from training.truth import true_pairs


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


def _off_diagonal(pairs_BB: Tensor) -> Tensor:
    return pairs_BB & ~torch.eye(len(pairs_BB), dtype=torch.bool)
