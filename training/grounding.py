"""wronglung-1's objective: look where the boxes are, and say whether what a sentence claims is there.

Shapes: B images, S claims of the whole batch, N regions, D dimension of a question.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from harness.dataset.base import Dataset
from training.claims import GroundingBatch
from training.config import GroundingRecipe
from training.evaluation import WATCHED, watch_maps
from training.objective import autocast
from wronglung.model.bert import encode_grouped
from wronglung.model.grounder import Grounder, QuestionFeatures, RegionFeatures, ground
from wronglung.model.text import SentenceTokenizer


class Pairs(NamedTuple):
    """Every claim of a batch held against every image."""

    log_maps_BSN: Tensor
    matches_BS: Tensor
    """Log odds."""
    cosines_BS: Tensor
    """Of the global embeddings."""


class GroundingObjective:
    """Four losses on one batch.

    - *where*: the divergence, in nats, between a claim's boxes and its map on its own image.
    - *whether*: the cross entropy of the match over all claims and images, those to look at and those not weighing the
      same, and once more over each image's own report.
    - *exchanged*: the same over the sentences that had left and right exchanged: the hard negatives.
    - *whole*: which image a report's sentence belongs to, by the global embeddings; other images for which it is true
      are left out.

    The log also shows how the maps of validation patients fare.

    Args:
        network: all of it learns.
        tokenize: the model's tokenizer.
        recipe: weights of the losses, precision of the image encoder.
        watched: validation patients.
    """

    columns: Sequence[str] = WATCHED

    def __init__(
        self, network: Grounder, tokenize: SentenceTokenizer, recipe: GroundingRecipe, watched: Dataset
    ) -> None:
        self._network, self._tokenize, self._watched = network, tokenize, watched
        self._weights, self._precision = recipe.loss, recipe.optimiser.precision

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Everything at the full rate."""
        return [{"params": list(self._network.parameters()), "rate": 1.0}]

    def loss(self, batch: GroundingBatch) -> Tensor:
        """The weighted sum, a scalar."""
        pairs, weights = self.compare(batch), self._weights
        return (
            weights.where * where_loss(pairs, batch)
            + weights.whether * whether_loss(pairs, batch)
            + weights.exchanged * exchanged_loss(pairs, batch)
            + weights.whole * whole_loss(pairs, batch, weights.batch_temperature)
        )

    def counted(self, batch: GroundingBatch) -> int:
        """Its images: the losses are means of different things, so a batch weighs what it holds of patients."""
        return len(batch.frames_BHW)

    def watch(self, model: Path) -> dict[str, float]:
        """Of abnormal sentences: mean AUROC, mean pointing, and the change in it when sides are exchanged."""
        return watch_maps(model, next(self._network.parameters()).device, self._watched)

    def compare(self, batch: GroundingBatch) -> Pairs:
        """Hold every claim against every image."""
        image, text = self._encode_images(batch.frames_BHW), self._encode_claims(batch)
        grounding = ground(RegionFeatures(*(field.unsqueeze(1) for field in image)), text)
        cosines_BS = functional.normalize(image.global_D, dim=-1) @ functional.normalize(text.global_D, dim=-1).T
        return Pairs(grounding.log_map_N, grounding.match, cosines_BS)

    def _encode_images(self, frames_BHW: Tensor) -> RegionFeatures:
        with autocast(frames_BHW.device.type, self._precision):
            fields = self._network.image(frames_BHW)
        return RegionFeatures(*(field.float() for field in fields))

    def _encode_claims(self, batch: GroundingBatch) -> QuestionFeatures:
        """The questions of every claim; equal texts are encoded once."""
        texts = [claim.sentence.text for claim in batch.claims]
        distinct = list(dict.fromkeys(texts))
        encoded = encode_grouped(self._network.encode_sentences, [self._tokenize(text) for text in distinct])
        questions = dict(zip(distinct, encoded, strict=True))
        return QuestionFeatures(
            *(torch.stack(field) for field in zip(*(questions[text] for text in texts), strict=True))
        )


def where_loss(pairs: Pairs, batch: GroundingBatch) -> Tensor:
    """Mean of KL(boxes ‖ map) in nats over the claims with boxes, ≥ 0; 0 without any."""
    boxed_S = batch.places_SN.sum(1) > 0
    places_KN = batch.places_SN[boxed_S]
    log_maps_KN = _on_own_image(pairs.log_maps_BSN, batch)[boxed_S]
    divergences_K: Tensor = -(torch.special.entr(places_KN) + places_KN * log_maps_KN).sum(1)
    return divergences_K.sum() / max(1, len(divergences_K))


def whether_loss(pairs: Pairs, batch: GroundingBatch) -> Tensor:
    """Cross entropy of the match: the mean over pairs with something to look at and that over those without, evenly;
    and that over the sentences of each image's own report."""
    losses_BS, visible_BS = _match_losses(pairs, batch), batch.visible_BS
    balanced = 0.5 * _mean(losses_BS[visible_BS]) + 0.5 * _mean(losses_BS[~visible_BS])
    return balanced + _on_own_image(losses_BS, batch)[~batch.exchanged_S].mean()


def exchanged_loss(pairs: Pairs, batch: GroundingBatch) -> Tensor:
    """Cross entropy of the match over the claims whose left and right have been exchanged; 0 without any."""
    losses_K = _on_own_image(_match_losses(pairs, batch), batch)[batch.exchanged_S]
    return losses_K.sum() / max(1, len(losses_K))


def whole_loss(pairs: Pairs, batch: GroundingBatch, temperature: float) -> Tensor:
    """Cross entropy of each affirmed sentence's own image among the batch's; 0 without any."""
    affirmed_S = ~(batch.denials_S | batch.exchanged_S)
    images_S, claims = batch.images_S, torch.arange(len(batch.claims), device=pairs.cosines_BS.device)
    elsewhere_BS = batch.visible_BS.clone()
    elsewhere_BS[images_S, claims] = False
    logits_SB = (temperature * pairs.cosines_BS).masked_fill(elsewhere_BS, -torch.inf).T
    total: Tensor = functional.cross_entropy(logits_SB[affirmed_S], images_S[affirmed_S], reduction="sum")
    return total / max(1, int(affirmed_S.sum()))


def _match_losses(pairs: Pairs, batch: GroundingBatch) -> Tensor:
    target_BS = batch.visible_BS.float()
    losses_BS: Tensor = functional.binary_cross_entropy_with_logits(pairs.matches_BS, target_BS, reduction="none")
    return losses_BS


def _on_own_image(values_BSX: Tensor, batch: GroundingBatch) -> Tensor:
    """(S, …): each claim on the image that it comes from."""
    return values_BSX[batch.images_S, torch.arange(len(batch.claims), device=values_BSX.device)]


def _mean(values: Tensor) -> Tensor:
    """0 of nothing."""
    return values.mean() if values.numel() else values.sum()
