"""What a stage of training asks for: a loss on a batch, and what else to watch."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from wronglung.model.architecture import AnyArchitecture, Embedding
from wronglung.model.image import ImageFeatures
from wronglung.model.network import AlignmentNetwork

BatchT = TypeVar("BatchT", contravariant=True)


class Objective(Protocol[BatchT]):
    """One stage of training."""

    columns: Sequence[str]
    """What `watch` measures, for the log."""

    def parameter_groups(self) -> list[dict[str, Any]]:
        """What is learned, in the optimiser's groups; a group's `rate` is relative to the recipe's learning rate."""

    def loss(self, batch: BatchT) -> Tensor:
        """The loss of one batch, a scalar on the device of the batch."""

    def counted(self, batch: BatchT) -> int:
        """How many items the loss of a batch is the mean of: its weight among the validation batches."""

    def watch(self, model: Path) -> dict[str, float]:
        """Figures of the model in a folder on validation patients, one per column."""


def encode_images(network: AlignmentNetwork, frames_BHW: Tensor, precision: str) -> ImageFeatures:
    """Region and global embeddings in fp32, computed in the recipe's precision ("fp32" or "bf16")."""
    with autocast(frames_BHW.device.type, precision):
        image = network.image(frames_BHW)
    return ImageFeatures(image.regions_BND.float(), image.global_BD.float())


def encode_each(network: AnyArchitecture, frames_BHW: Tensor, precision: str) -> list[Embedding]:
    """What a network of any architecture says of each image, in fp32, computed in the recipe's precision."""
    with autocast(frames_BHW.device.type, precision):
        images = network.encode_images(frames_BHW)
    return [type(image)(*(tensor.float() for tensor in image)) for image in images]


def autocast(device: str, precision: str) -> AbstractContextManager[object]:
    """Computes in "bf16" where that is the precision."""
    return torch.autocast(device, torch.bfloat16, enabled=precision == "bf16")
