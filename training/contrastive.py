"""Stage two: which sentence belongs to which image, by GLoRIA's losses."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from harness.dataset.base import Dataset
from training.batches import Batch
from training.config import ContrastiveRecipe
from training.evaluation import WATCHED, watch_maps
from training.losses import HardTexts, batch_loss
from training.negatives import hard_negatives
from training.objective import encode_images
from wronglung.model.bert import TextFeatures, encode_grouped
from wronglung.model.image import ImageFeatures
from wronglung.model.network import AlignmentNetwork
from wronglung.model.text import SentenceTokenizer


class ContrastiveObjective:
    """GLoRIA's contrastive losses; the log also shows how the maps of validation patients fare.

    Args:
        network: all of it learns.
        tokenize: the model's tokenizer.
        recipe: losses and rates.
        watched: validation patients.
    """

    columns: Sequence[str] = WATCHED

    def __init__(
        self,
        network: AlignmentNetwork,
        tokenize: SentenceTokenizer,
        recipe: ContrastiveRecipe,
        watched: Dataset,
    ) -> None:
        self._network, self._tokenize, self._recipe, self._watched = network, tokenize, recipe, watched

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Everything at the full rate but what makes the regions."""
        regions = _region_parameters(self._network)
        rest = [p for p in self._network.parameters() if all(p is not region for region in regions)]
        return [{"params": rest, "rate": 1.0}, {"params": regions, "rate": self._recipe.attention_start.rate}]

    def loss(self, batch: Batch) -> Tensor:
        """Weighted sum of the four cross entropies."""
        image, texts = self._encode(batch)
        hard = self._encode_hard(batch) if self._recipe.loss.hard_negatives else None
        return batch_loss(self._network, image, texts, batch.false_negatives_BB, self._recipe.loss, hard)

    def counted(self, batch: Batch) -> int:
        """Its pairs."""
        return len(batch.sentences)

    def watch(self, model: Path) -> dict[str, float]:
        """Of abnormal sentences: mean AUROC, mean pointing, and the change in it when sides are exchanged."""
        return watch_maps(model, next(self._network.parameters()).device, self._watched)

    @torch.no_grad()
    def start_attention(self, batch: Batch) -> None:
        """Make the attention soft and even (`AttentionStart`); the opt-out vector gets the mean region's length."""
        self._network.train()
        embedder = self._network.image.local_embedder.weight
        common_D = functional.normalize(self._encode(batch)[0].regions_BND.mean(dim=(0, 1)), dim=0)
        embedder.sub_(torch.einsum("d,e,eckl->dckl", common_D, common_D, embedder))
        image, texts = self._encode(batch)
        embedder.mul_(self._recipe.attention_start.spread / _spread(image, texts))
        if self._network.opt_out is not None:
            length = self._encode(batch)[0].regions_BND.norm(dim=-1).mean()
            self._network.opt_out.mul_(length / self._network.opt_out.norm())

    def _encode_hard(self, batch: Batch) -> HardTexts:
        found = hard_negatives(batch.studies, batch.sentences)
        tokenized = [self._tokenize(negative.sentence.text) for negative in found]
        return HardTexts([negative.image for negative in found], encode_grouped(self._network.text, tokenized))

    def _encode(self, batch: Batch) -> tuple[ImageFeatures, list[TextFeatures]]:
        texts = encode_grouped(self._network.text, [self._tokenize(sentence.text) for sentence in batch.sentences])
        return encode_images(self._network, batch.frames_BHW, self._recipe.optimiser.precision), texts


def _spread(image: ImageFeatures, texts: list[TextFeatures]) -> Tensor:
    """The mean standard deviation, between the words of an image's own sentence, of their scores with a region."""
    scores = [text.words_WD[:-1] @ regions_ND.T for text, regions_ND in zip(texts, image.regions_BND, strict=True)]
    return torch.stack([scores_LN.std(dim=0).mean() for scores_LN in scores]).mean()


def _region_parameters(network: AlignmentNetwork) -> list[Tensor]:
    return [network.image.local_embedder.weight, *([] if network.opt_out is None else [network.opt_out])]
