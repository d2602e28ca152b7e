"""Stage one: both encoders learn to name the same findings, without boxes.

The image encoder learns which findings an image shows and on which side, the text encoder which of them a sentence
affirms, and one classifier reads regions and words alike: so the word "effusion" and a region that holds one are drawn
to the same direction. GLoRIA starts from a residual network that has seen a million photographs and a language model
that has read thousands of reports. Ours have seen nothing, and the contrastive losses alone teach them too slowly.
Labels are to our phantoms what CheXpert's are to radiographs.

Shapes: B images with a sentence each, N regions, L words, D embedding size, K labels.
"""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.case import Sentence, Triple
from harness.dataset.phantom.truth import claims
from harness.settings import ConfigError
from training.batches import Batch
from training.config import FindingsRecipe
from training.objective import encode_images
from training.studies import Study
from training.truth import present
from wronglung.model.bert import TextFeatures, encode_grouped
from wronglung.model.network import AlignmentNetwork
from wronglung.model.text import SentenceTokenizer

_NO_FINDINGS = frozenset({"abnormal", "normal"})
"""Labels that say nothing new: the first is true as soon as any finding is, the second where none is."""
_SIDES = ("left", "right")


class FindingLabel(NamedTuple):
    """A finding anywhere (`side` None), or in a region of one side."""

    finding: str
    side: str | None


def find_labels(studies: Iterable[Study]) -> tuple[FindingLabel, ...]:
    """All labels that occur, sorted."""
    found = set().union(*(labels_of(study) for study in studies))
    return tuple(sorted(found, key=lambda label: (label.finding, label.side or "")))


def labels_of(study: Study) -> set[FindingLabel]:
    """The labels that are known to be true of a study; of a patient, those that the report affirms."""
    return _labels(present(study))


def labels_affirmed(sentence: Sentence) -> set[FindingLabel]:
    """The labels that a sentence says are there, with a side only if its words name the place."""
    return _labels(claims(sentence))


def _labels(triples: Iterable[Triple]) -> set[FindingLabel]:
    present = [triple for triple in triples if triple.context and triple.label not in _NO_FINDINGS]
    return {FindingLabel(triple.label, side) for triple in present for side in (None, _side(triple.region))}


def _side(region: str) -> str | None:
    """ "left costophrenic angle" → "left"; None for a region in the middle, or for none."""
    first = region.partition(" ")[0]
    return first if first in _SIDES else None


class FindingsObjective:
    """Binary cross entropy of every label: from the regions, from the global image embedding, and from the words.

    An image shows a finding if any of its regions does: a label's score is the logarithm of the mean over the regions
    of the exponential of their scores. So the regions learn where findings are though nobody says where; and likewise
    the words which of them names it.

    Args:
        network: both encoders learn; an opt-out vector does not.
        tokenize: the model's tokenizer.
        labels: what to tell apart.
        recipe: the image encoder's precision, and whether regions and words are read by one classifier.

    Raises:
        ConfigError: there are no labels.
    """

    columns: Sequence[str] = ()

    def __init__(
        self,
        network: AlignmentNetwork,
        tokenize: SentenceTokenizer,
        labels: Sequence[FindingLabel],
        recipe: FindingsRecipe,
    ) -> None:
        if not labels:
            raise ConfigError(
                "data.dataset: no sentence states a label other than abnormal and normal, so there is no finding to"
                " name: add `label` and `context` to the boxes, or leave this stage out and start_from a model's folder"
            )
        self._network, self._tokenize, self._labels = network, tokenize, tuple(labels)
        self._precision = recipe.optimiser.precision
        dimension = network.config.text.hidden_size
        self._local_head, self._global_head = (nn.Linear(dimension, len(labels)) for _ in range(2))
        self._word_head = self._local_head if recipe.shared_head else nn.Linear(dimension, len(labels))
        self._device = next(network.parameters()).device
        for head in (self._local_head, self._global_head, self._word_head):
            head.to(self._device)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Both encoders and the heads, at the full rate."""
        heads = dict.fromkeys((self._local_head, self._global_head, self._word_head))
        modules = (self._network.image, self._network.text, *heads)
        return [{"params": [parameter for module in modules for parameter in module.parameters()], "rate": 1.0}]

    def loss(self, batch: Batch) -> Tensor:
        """Sum of the three mean cross entropies."""
        image = encode_images(self._network, batch.frames_BHW, self._precision)
        texts = encode_grouped(self._network.text, [self._tokenize(sentence.text) for sentence in batch.sentences])
        shown_BK = self._truth([labels_of(study) for study in batch.studies])
        affirmed_BK = self._truth([labels_affirmed(sentence) for sentence in batch.sentences])
        cross_entropy = functional.binary_cross_entropy_with_logits
        return (
            cross_entropy(_log_mean_exp(self._local_head(image.regions_BND)), shown_BK)
            + cross_entropy(self._global_head(image.global_BD), shown_BK)
            + cross_entropy(self._scores_of_words(texts), affirmed_BK)
        )

    def counted(self, batch: Batch) -> int:
        """Its pairs."""
        return len(batch.sentences)

    def watch(self, model: Path) -> dict[str, float]:
        """Nothing beside the loss."""
        return {}

    def _scores_of_words(self, texts: Sequence[TextFeatures]) -> Tensor:
        """(B, K) of the words that draw the map; a word's vector is a sum of layers, whose mean is classified."""
        layers = self._network.config.text.summed_layers
        return torch.stack([_log_mean_exp(self._word_head(text.words_WD[:-1] / layers)) for text in texts])

    def _truth(self, true: Sequence[set[FindingLabel]]) -> Tensor:
        rows = [[float(label in labels) for label in self._labels] for labels in true]
        return torch.tensor(rows, device=self._device)


def _log_mean_exp(scores_XK: Tensor) -> Tensor:
    """(…, X, K) → (…, K)."""
    return torch.logsumexp(scores_XK, dim=-2) - math.log(scores_XK.shape[-2])
