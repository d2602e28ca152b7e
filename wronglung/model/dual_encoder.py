"""A CLIP-like pair of encoders: where a patch of the image resembles the sentence as a whole, the map is high.

The network is transformers' `VisionTextDualEncoderModel` of CLIP's vision transformer and a BERT, whose weights fit
without renaming. CLIP has no vector per word that lives in the common space, so there are no word maps.

Shapes: B images or sentences, N patches, D embedding size.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPVisionConfig, VisionTextDualEncoderConfig, VisionTextDualEncoderModel

from wronglung.model.architecture import Architecture, Match
from wronglung.model.bert import bert_config, piece_ids
from wronglung.model.config import DualEncoderConfig
from wronglung.model.image import network_input
from wronglung.model.parts_config import VisionTransformerConfig
from wronglung.model.text import TokenizedSentence


class PatchFeatures(NamedTuple):
    """What the vision transformer says of one image, in the common space."""

    patches_ND: Tensor
    """Patch embeddings, row-major from the top left."""
    global_D: Tensor


class SentenceFeatures(NamedTuple):
    """What BERT says of one sentence, in the common space."""

    global_D: Tensor


class DualEncoder(Architecture[PatchFeatures, SentenceFeatures]):
    """A vision transformer and a BERT, projected into one space."""

    def __init__(self, config: DualEncoderConfig) -> None:
        super().__init__()
        self.config = config
        sizes = VisionTextDualEncoderConfig.from_vision_text_configs(
            _vision_config(config.image), bert_config(config.text), projection_dim=config.embedding_size
        )
        self.pair = VisionTextDualEncoderModel(sizes)

    def encoders(self) -> Sequence[nn.Module]:
        """Both encoders with their projections."""
        return (self.pair,)

    def encode_images(self, frames_BHW: Tensor) -> list[PatchFeatures]:
        """Patches (N, D) and the global embedding (D,) of each image."""
        inputs_B3SS = network_input(frames_BHW, self.config.image.input_size).to(self.pair.dtype)
        outputs = self.pair.get_image_features(pixel_values=inputs_B3SS)
        # CLIP normalises and projects its first token only; a patch takes the same way into the common space.
        normalise = self.pair.vision_model.get_submodule("post_layernorm")
        patches_BND = self.pair.visual_projection(normalise(outputs.last_hidden_state[:, 1:]))
        return [PatchFeatures(*pair) for pair in zip(patches_BND, outputs.pooler_output, strict=True)]

    def encode_sentences(self, sentences: list[TokenizedSentence]) -> list[SentenceFeatures]:
        """The global embedding (D,) of each sentence."""
        ids_BT = piece_ids(sentences, self.pair.device)
        return [SentenceFeatures(global_D) for global_D in self.pair.get_text_features(input_ids=ids_BT).pooler_output]

    def map_regions(self, image: PatchFeatures, text: SentenceFeatures) -> Tensor:
        """A softmax over the patches of their cosines with the sentence; its sum is 1."""
        return self._softmax(_cosines(image, text))

    def match(self, image: PatchFeatures, sentence: TokenizedSentence, text: SentenceFeatures) -> Match:
        """The map, and as local similarity the largest cosine of a patch with the sentence."""
        cosines_N = _cosines(image, text)
        return Match(
            map=self._softmax(cosines_N).cpu().numpy(),
            word_maps=None,
            opt_out=0.0,
            local_similarity=float(cosines_N.max()),
            global_similarity=float(functional.cosine_similarity(text.global_D, image.global_D, dim=-1)),
        )

    def _softmax(self, cosines_N: Tensor) -> Tensor:
        """`temperature` of the config is the factor on the cosines."""
        return torch.softmax(self.config.temperature * cosines_N, dim=-1)


def _cosines(image: PatchFeatures, text: SentenceFeatures) -> Tensor:
    """(N,) of every patch with the sentence."""
    return functional.cosine_similarity(image.patches_ND, text.global_D, dim=-1)


def _vision_config(sizes: VisionTransformerConfig) -> CLIPVisionConfig:
    return CLIPVisionConfig(
        image_size=sizes.input_size,
        patch_size=sizes.patch_size,
        hidden_size=sizes.hidden_size,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        intermediate_size=sizes.intermediate_size,
        hidden_act=sizes.activation,
        layer_norm_eps=sizes.layer_norm_eps,
    )
