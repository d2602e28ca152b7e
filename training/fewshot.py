"""Few-shot finetuning: a handful of sentences with boxes teach where to look ("That's the Wrong Lung!", arXiv
2210.06565).

Shapes: B images with a sentence each, N cells.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from harness.metrics import score
from harness.metrics.label import exact_boxes
from training.batches import Batch
from training.cells import cell_weights, crop_frames
from training.config import FewShotRecipe
from training.map_losses import box_loss
from training.objective import encode_each
from wronglung.model.architecture import AnyArchitecture
from wronglung.model.bert import encode_grouped
from wronglung.model.text import SentenceTokenizer


class FewShotObjective:
    """−log of the share of a sentence's map that lies inside its boxes, and no other loss.

    Args:
        network: of any architecture; all of it that has a part in the maps learns.
        tokenize: the model's tokenizer.
        recipe: with the checkpoint's frame.
        held_out: batches of sentences with boxes of validation patients, for the log.
    """

    columns: Sequence[str] = ("auroc", "pointing", "mass_in_box", "iou_at_10")

    def __init__(
        self,
        network: AnyArchitecture,
        tokenize: SentenceTokenizer,
        recipe: FewShotRecipe,
        held_out: Callable[[], Iterator[Batch]],
    ) -> None:
        self._network, self._tokenize, self._recipe, self._held_out = network, tokenize, recipe, held_out
        self._grid = (network.config.grid_side, network.config.grid_side)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Everything at the full rate."""
        return [{"params": list(self._network.parameters()), "rate": 1.0}]

    def loss(self, batch: Batch) -> Tensor:
        """The mean over the sentences of which a box is left in the crop."""
        maps_BN = self._maps(batch)
        area_BN, positive_BN = (weight.to(maps_BN.device) for weight in self._cell_weights(batch))
        inside_B = _has_box(positive_BN)
        if not inside_B.any():  # a zero that depends on the maps, so that a step can be made
            return 0 * maps_BN.sum()
        return box_loss(maps_BN[inside_B], area_BN[inside_B], positive_BN[inside_B])

    def counted(self, batch: Batch) -> int:
        """The sentences of which a box is left in the crop."""
        return int(_has_box(self._cell_weights(batch)[1]).sum())

    @torch.no_grad()
    def watch(self, model: Path) -> dict[str, float]:
        """Of the held-out sentences: means of the metrics, profile exact."""
        self._network.eval()
        found = [self._scores(batch) for batch in self._held_out()]
        return {name: _mean(values[name] for values in found) for name in self.columns}

    def _cell_weights(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """(B, N) each cell's area, and the part of it inside the sentence's boxes."""
        return cell_weights(batch.sentences, crop_frames(batch.corners_B2, self._recipe.preprocess), self._grid)

    def _maps(self, batch: Batch) -> Tensor:
        """(B, N) each sentence's map of its own image, but for a factor."""
        network = self._network
        frames_BHW = batch.frames_BHW.to(next(network.parameters()).device)
        images = encode_each(network, frames_BHW, self._recipe.optimiser.precision)
        texts = encode_grouped(network.encode_sentences, [self._tokenize(each.text) for each in batch.sentences])
        return torch.stack([network.map_regions(image, text) for image, text in zip(images, texts, strict=True)])

    def _scores(self, batch: Batch) -> dict[str, npt.NDArray[np.float64]]:
        frames = crop_frames(batch.corners_B2, self._recipe.preprocess)
        found = score(
            self._maps(batch).cpu().numpy().reshape(-1, *self._grid),
            [exact_boxes(sentence.boxes, frame) for sentence, frame in zip(batch.sentences, frames, strict=True)],
            frame_size=(frames[0].height, frames[0].width),
            profile="exact",
            domains=[frame.to_frame(study.image_rect) for study, frame in zip(batch.studies, frames, strict=True)],
        )
        return {name: found[name] for name in self.columns}


def _has_box(positive_BN: Tensor) -> Tensor:
    """(B,) bool: whether any cell lies inside a box."""
    return positive_BN.sum(-1) > 0


def _mean(values: Iterable[npt.NDArray[np.float64]]) -> float:
    return float(np.nanmean(np.concatenate(list(values))))
