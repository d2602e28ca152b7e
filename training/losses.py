"""GLoRIA's contrastive losses, with false negatives left out.

Shapes: B images and their B sentences, L words, N regions, D embedding size. A logit matrix has images as rows and
sentences as columns; the pairs on its diagonal belong together.
"""

import torch
from torch import Tensor
from torch.nn import functional

from training.config import LossConfig
from training.map_losses import attention_entropy, distribution, negative_divergence, opt_out_penalty
from wronglung.model.attention import Attention, word_similarities
from wronglung.model.bert import TextFeatures
from wronglung.model.image import ImageFeatures
from wronglung.model.network import AlignmentNetwork


def attend_all(network: AlignmentNetwork, image: ImageFeatures, texts: list[TextFeatures]) -> list[Attention]:
    """For each sentence where its words look on every image of the batch: B attentions, each (B, L, …)."""
    return [network.map_words(text, image.regions_BND) for text in texts]


def local_logits(texts: list[TextFeatures], attentions: list[Attention], config: LossConfig) -> Tensor:
    """(B, B) ``temp3 * log(sum over words of exp(temp2 * cosine(word, what it attends to)))``.

    The words are those that draw the map: start token and words, without the end token.
    """
    columns = []
    for text, attention in zip(texts, attentions, strict=True):
        cosines_BL = word_similarities(text.words_WD[:-1], attention)
        columns.append(torch.logsumexp(config.word_temperature * cosines_BL, dim=-1))
    return config.batch_temperature * torch.stack(columns, dim=1)


def global_logits(image: ImageFeatures, texts: list[TextFeatures], config: LossConfig) -> Tensor:
    """(B, B) ``temp3 * cosine`` of the global embeddings."""
    sentences_BD = torch.stack([text.global_D for text in texts])
    return config.batch_temperature * (
        functional.normalize(image.global_BD, dim=-1) @ functional.normalize(sentences_BD, dim=-1).T
    )


def contrastive(logits_BB: Tensor, false_negatives_BB: Tensor) -> tuple[Tensor, Tensor]:
    """Cross entropies of the diagonal, over the sentences for each image and over the images for each sentence.

    Args:
        logits_BB: one score per pair.
        false_negatives_BB: bool; pairs whose sentence is true for an image not its own: they leave both softmaxes.
    """
    masked = logits_BB.masked_fill(false_negatives_BB, -torch.inf)
    targets = torch.arange(len(masked), device=masked.device)
    return functional.cross_entropy(masked, targets), functional.cross_entropy(masked.T, targets)


def batch_loss(
    network: AlignmentNetwork,
    image: ImageFeatures,
    texts: list[TextFeatures],
    false_negatives_BB: Tensor,
    config: LossConfig,
) -> Tensor:
    """Weighted sum of the four cross entropies of one batch, and of the losses on the maps that have a weight."""
    attentions = attend_all(network, image, texts)
    local = contrastive(local_logits(texts, attentions, config), false_negatives_BB)
    whole = contrastive(global_logits(image, texts, config), false_negatives_BB)
    pairs = config.local_weight * (local[0] + local[1]) + config.global_weight * (whole[0] + whole[1])
    return pairs + _on_maps(attentions, config, opt_out=network.opt_out is not None)


def _on_maps(attentions: list[Attention], config: LossConfig, *, opt_out: bool) -> Tensor | float:
    """The study's optional losses; 0 without weights."""
    if not config.looks_at_maps:
        return 0.0
    pairs_BBN = torch.stack([distribution(attention, opt_out=opt_out) for attention in attentions], dim=1)
    total = config.entropy_weight * attention_entropy(pairs_BBN)
    total = total + config.divergence_weight * negative_divergence(pairs_BBN)
    if opt_out:
        total = total + config.opt_out_weight * opt_out_penalty(pairs_BBN[..., 0].diagonal())
    return total
