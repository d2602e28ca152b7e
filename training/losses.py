"""GLoRIA's contrastive losses, with false negatives left out.

Shapes: B images and their B sentences, L words, N regions, D embedding size. A logit matrix has images as rows and
sentences as columns; the pairs on its diagonal belong together.
"""

from typing import NamedTuple

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
    columns = [_word_score(text, attention, config) for text, attention in zip(texts, attentions, strict=True)]
    return config.batch_temperature * torch.stack(columns, dim=1)


def _word_score(text: TextFeatures, attention: Attention, config: LossConfig) -> Tensor:
    """(…,) log of the sum over the words of exp(temp2 * cosine)."""
    cosines_L = word_similarities(text.words_WD[:-1], attention)
    return torch.logsumexp(config.word_temperature * cosines_L, dim=-1)


def global_logits(image: ImageFeatures, texts: list[TextFeatures], config: LossConfig) -> Tensor:
    """(B, B) ``temp3 * cosine`` of the global embeddings."""
    sentences_BD = torch.stack([text.global_D for text in texts])
    return config.batch_temperature * (
        functional.normalize(image.global_BD, dim=-1) @ functional.normalize(sentences_BD, dim=-1).T
    )


class HardTexts(NamedTuple):
    """K sentences, each one a negative of one image alone."""

    images: list[int]
    """The row of each one's image; no two alike."""
    texts: list[TextFeatures]


def hard_columns(
    network: AlignmentNetwork, image: ImageFeatures, hard: HardTexts, config: LossConfig
) -> tuple[Tensor, Tensor]:
    """Local and global logits of each image with its hard negative, (B,) each; −∞ for images without one."""
    regions_KND, global_KD = image.regions_BND[hard.images], image.global_BD[hard.images]
    local_K = [
        _word_score(text, network.map_words(text, regions_ND), config)
        for text, regions_ND in zip(hard.texts, regions_KND, strict=True)
    ]
    cosines_K = functional.cosine_similarity(torch.stack([text.global_D for text in hard.texts]), global_KD, dim=-1)
    none_B = torch.full((len(image.global_BD),), -torch.inf, device=global_KD.device)
    rows = torch.tensor(hard.images, device=global_KD.device)
    logits = (config.batch_temperature * torch.stack(local_K), config.batch_temperature * cosines_K)
    return none_B.index_copy(0, rows, logits[0]), none_B.index_copy(0, rows, logits[1])


def contrastive(logits_BB: Tensor, false_negatives_BB: Tensor, hard_B: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Cross entropies of the diagonal, over the sentences for each image and over the images for each sentence.

    Args:
        logits_BB: one score per pair.
        false_negatives_BB: bool; pairs whose sentence is true for an image not its own: they leave both softmaxes.
        hard_B: one more score in each image's softmax over the sentences, −∞ where there is none.
    """
    masked = logits_BB.masked_fill(false_negatives_BB, -torch.inf)
    targets = torch.arange(len(masked), device=masked.device)
    sentences = masked if hard_B is None else torch.cat([masked, hard_B[:, None]], dim=1)
    return functional.cross_entropy(sentences, targets), functional.cross_entropy(masked.T, targets)


def batch_loss(
    network: AlignmentNetwork,
    image: ImageFeatures,
    texts: list[TextFeatures],
    false_negatives_BB: Tensor,
    config: LossConfig,
    hard: HardTexts | None = None,
) -> Tensor:
    """Weighted sum of the four cross entropies of one batch, and of the losses on the maps that have a weight."""
    attentions = attend_all(network, image, texts)
    hard_local_B, hard_global_B = hard_columns(network, image, hard, config) if hard and hard.images else (None, None)
    local = contrastive(local_logits(texts, attentions, config), false_negatives_BB, hard_local_B)
    whole = contrastive(global_logits(image, texts, config), false_negatives_BB, hard_global_B)
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
