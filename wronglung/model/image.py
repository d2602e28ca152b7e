"""The image encoder: a residual network whose middle stage gives region embeddings, its end the global one.

Shapes: B images, D embedding size, R × C grid, N = R·C regions.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import ResNetConfig, ResNetModel

from wronglung.model.parts_config import ImageEncoderConfig


class ImageFeatures(NamedTuple):
    """What the image encoder says of B images."""

    regions_BND: Tensor
    """Region embeddings, row-major from the top left cell."""
    global_BD: Tensor
    """Global embeddings."""


def network_input(frames_BHW: Tensor, side: int) -> Tensor:
    """Grey frames resized to side × side (bilinear, corners aligned) and repeated to 3 channels, (B, 3, side, side).

    Raises:
        ValueError: the tensor is not [B, H, W].
    """
    if frames_BHW.ndim != 3:
        raise ValueError(f"expected grey frames [B, H, W], got {list(frames_BHW.shape)}")
    resized = functional.interpolate(frames_BHW.unsqueeze(1), size=(side, side), mode="bilinear", align_corners=True)
    return resized.expand(-1, 3, -1, -1)


class ImageEncoder(nn.Module):
    """Frames → region and global embeddings.

    Args:
        config: sizes of the network.
        dimension: D.
    """

    def __init__(self, config: ImageEncoderConfig, dimension: int) -> None:
        super().__init__()
        self.config = config
        self.backbone = ResNetModel(
            ResNetConfig(
                embedding_size=config.embedding_size,
                hidden_sizes=list(config.hidden_sizes),
                depths=list(config.depths),
                layer_type=config.block,
            )
        )
        self.local_embedder = nn.Conv2d(config.hidden_sizes[config.local_stage - 1], dimension, 1, bias=False)
        self.global_embedder = nn.Linear(config.hidden_sizes[-1], dimension)

    def forward(self, frames_BHW: Tensor) -> ImageFeatures:
        """Encode normalised grey frames.

        Raises:
            ValueError: the tensor is not [B, H, W].
        """
        inputs_B3SS = network_input(frames_BHW, self.config.input_size).to(self.backbone.dtype)
        outputs = self.backbone(inputs_B3SS, output_hidden_states=True)
        local_BDRC = self.local_embedder(outputs.hidden_states[self.config.local_stage])
        return ImageFeatures(
            regions_BND=local_BDRC.flatten(2).transpose(1, 2),
            global_BD=self.global_embedder(torch.flatten(outputs.pooler_output, 1)),
        )
