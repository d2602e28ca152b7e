"""The study's optional losses: on where the attention lies, not on what it tells apart ("That's the Wrong Lung!",
arXiv 2210.06565).

Shapes: B pairs, N regions. A distribution is a sentence's map, flattened, behind its opt-out mass if the network has an
opt-out vector: it sums to 1. `pairs` has images as rows, sentences as columns; what belongs together is its diagonal.
"""

import torch
from torch import Tensor

from wronglung.model.attention import Attention

_EPSILON = torch.finfo(torch.float32).eps
_TINY = torch.finfo(torch.float32).tiny
"""Stands in for 0 in logarithms: a single softmax may leave nothing to a region, and gradients are to be numbers."""


def distribution(attention: Attention, *, opt_out: bool) -> Tensor:
    """(…, N) or, with the opt-out mass in front, (…, N + 1): the mean over a sentence's words."""
    maps_N, mass = attention.maps_LN.mean(dim=-2), attention.opt_out_L.mean(dim=-1, keepdim=True)
    return torch.cat([mass, maps_N], dim=-1) if opt_out else maps_N


def opt_out_penalty(mass_B: Tensor) -> Tensor:
    """Mean of −log(1 − opt-out mass) over matching pairs, ≥ 0: what is on the image is to be looked at.

    At most 16 for a pair, where a float32 mass is as good as 1: a single softmax may withhold everything.
    """
    return -torch.log1p(-mass_B.clamp(max=1 - _EPSILON)).mean()


def published_opt_out_penalty(mass_B: Tensor) -> Tensor:
    """Mean of log(opt-out mass) over matching pairs: the published form, which falls without bound."""
    return mass_B.log().mean()


def attention_entropy(pairs_BBN: Tensor) -> Tensor:
    """Mean entropy in nats over all pairs of a batch, in [0, log N]; less of it makes sharper maps."""
    entropies_BB: Tensor = torch.special.entr(pairs_BBN.clamp(min=_TINY)).sum(-1)
    return entropies_BB.mean()


def negative_divergence(pairs_BBN: Tensor) -> Tensor:
    """Minus the mean symmetric Kullback–Leibler divergence, in nats, between an image's own sentence and the batch's
    others on the same image, ≤ 0: different sentences are to look at different places.

    Symmetric: the mean of both directions. 0 for a batch of one.

    As in the study, over all pairs but the diagonal: what a sentence means decides nothing, unlike in
    `training.losses.contrastive`, which leaves out pairs whose sentence is true of the image. So two wordings of one
    finding are pushed apart too, and equal wordings, whose maps are equal, add 0 to the mean.
    """
    pairs_BBN = pairs_BBN.clamp(min=_TINY)
    own_B1N = torch.diagonal(pairs_BBN, dim1=0, dim2=1).T.unsqueeze(1)
    both_ways_BB = ((own_B1N - pairs_BBN) * (own_B1N.log() - pairs_BBN.log())).sum(-1) / 2
    others = ~torch.eye(len(pairs_BBN), dtype=torch.bool, device=pairs_BBN.device)
    return -both_ways_BB[others].sum() / max(1, int(others.sum()))


def box_loss(maps_BN: Tensor, area_BN: Tensor, positive_BN: Tensor) -> Tensor:
    """Mean of −log(share of a map that lies inside the sentence's boxes), ≥ 0.

    The study upsamples the map to pixels, renormalises it there and sums inside the boxes; with each cell's area and
    area inside the boxes the same sum needs no pixels.

    Args:
        maps_BN: (B, N) maps; their scale does not matter.
        area_BN: (B, N) each cell's area on the image.
        positive_BN: (B, N) the part of it inside the boxes; not all 0.
    """
    inside_B = (maps_BN * positive_BN).sum(-1)
    share_B = inside_B / (maps_BN * area_BN).sum(-1)
    return -share_B.clamp(min=_TINY).log().mean()
