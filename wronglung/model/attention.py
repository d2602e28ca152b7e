"""Words look for regions: a softmax over the words for each region (or none), then one over the regions for each word.

Shapes: L words that ask, N regions, D embedding size; leading dimensions broadcast. The formulas are GLoRIA's (ICCV
2021) and, for the opt-out vector, those of "That's the Wrong Lung!" (arXiv 2210.06565).
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

LOCAL_SIMILARITY_SCALE = 5.0


class Attention(NamedTuple):
    """Where L words look."""

    maps_LN: Tensor
    """Weight of each region, >= 0; a row and its opt-out weight sum to 1."""
    opt_out_L: Tensor
    """Weight withheld from the image; 0 without opt-out vector."""
    mix_LD: Tensor
    """Mean of the regions (and the opt-out vector) under these weights."""


def attend(
    words_LD: Tensor,
    regions_ND: Tensor,
    *,
    temperature: float,
    opt_out_D: Tensor | None = None,
    over_words: bool = True,
) -> Attention:
    """Let words attend to regions: ``w = softmax_n(temperature * softmax_l(words @ regions.T))``.

    Without the softmax over the words, ``w = softmax_n(temperature * words @ regions.T)``. An opt-out vector stands
    before the regions in every softmax and in the mix.

    Args:
        words_LD: who asks.
        regions_ND: who answers.
        temperature: factor inside the softmax over the regions.
        opt_out_D: the vector that stands beside the regions.
        over_words: whether the words first compete for each region.
    """
    if opt_out_D is not None:
        first = opt_out_D.expand(*regions_ND.shape[:-2], 1, -1)
        regions_ND = torch.cat([first, regions_ND], dim=-2)
    scores_LN = words_LD @ regions_ND.transpose(-1, -2)
    answers_LN = torch.softmax(scores_LN, dim=-2) if over_words else scores_LN
    weights_LN = torch.softmax(temperature * answers_LN, dim=-1)
    mix_LD = weights_LN @ regions_ND
    if opt_out_D is None:
        return Attention(weights_LN, torch.zeros_like(weights_LN[..., 0]), mix_LD)
    return Attention(weights_LN[..., 1:], weights_LN[..., 0], mix_LD)


def matching_rows(words_WD: Tensor, content_pieces: int) -> Tensor:
    """The rows that enter the local similarity: all words after the start token, the end token, then a zero row for
    each word piece that was joined to another, (content_pieces + 1, D).

    The zero rows are the published evaluation's and take part in the softmax over words.
    """
    rows = words_WD[1:]
    return functional.pad(rows, (0, 0, 0, content_pieces + 1 - rows.shape[0]))


def word_similarities(rows_LD: Tensor, attention: Attention) -> Tensor:
    """(…, L) cosine of each row with its attended mix; 0 for zero rows."""
    return functional.cosine_similarity(rows_LD, attention.mix_LD, dim=-1)
