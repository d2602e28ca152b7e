"""Every option of a model, as stored in its `config.json`."""

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from wronglung.model.parts_config import (
    AttentionConfig,
    BertSizes,
    ImageEncoderConfig,
    TextEncoderConfig,
    VisionTransformerConfig,
)
from wronglung.model.strict import StrictModel


class PreprocessConfig(StrictModel):
    """Grey pixels → the frame → the tensor. The frame's geometry is `wronglung.geometry.letterbox`."""

    longer_side: int = Field(default=256, ge=1)
    """The image's longer side is resized to this many pixels, the rest zero-padded to a square."""
    crop: int = Field(default=224, ge=1)
    """Side of the centre crop: the frame."""
    stretch: bool = False
    """Stretch the image's own minimum … maximum to 0 … 255 before resizing."""
    mean: float = 0.5
    """Subtracted after scaling the full range of the pixel type to [0, 1]."""
    std: float = Field(default=0.5, gt=0)
    """Divided by afterwards."""

    @model_validator(mode="after")
    def _crop_fits(self) -> Self:
        if self.crop > self.longer_side:
            raise ValueError(f"crop ({self.crop}) must not exceed longer_side ({self.longer_side})")
        return self


class CleaningConfig(StrictModel):
    """What happens to a sentence before the tokenizer. The defaults are those of the published encoders."""

    split_numbering: bool = True
    """Treat digits followed by a full stop as list numbering: they end a piece and are dropped ("2.5 cm" → "5 cm")."""
    drop_single_words: bool = True
    """Drop pieces of one word: "Cardiomegaly." cleans to nothing."""
    keep_mask_token: bool = False
    """Keep "[MASK]" as the tokenizer's mask token; otherwise it becomes the word "mask"."""
    empty: Literal["error", "encode_markers"] = "error"
    """When nothing is left: fail the sentence, or encode the start and end token alone as the published code does."""


class NetworkConfig(StrictModel):
    """GLoRIA: the sizes of everything that has weights."""

    architecture: Literal["gloria"] = "gloria"
    """This architecture."""
    image: ImageEncoderConfig = ImageEncoderConfig()
    text: TextEncoderConfig = TextEncoderConfig()
    attention: AttentionConfig = AttentionConfig()

    @property
    def grid_side(self) -> int:
        """Rows (and columns) of the grid."""
        return self.image.grid_side

    @property
    def has_opt_out(self) -> bool:
        """Whether attention can be withheld from the image."""
        return self.attention.opt_out

    @property
    def has_word_maps(self) -> bool:
        """Whether a sentence's map is the mean of its words' maps."""
        return True


class DualEncoderConfig(StrictModel):
    """A CLIP-like pair of encoders: a vision transformer and a BERT, each projected into one common space."""

    architecture: Literal["dual_encoder"] = "dual_encoder"
    """This architecture."""
    image: VisionTransformerConfig = VisionTransformerConfig()
    text: BertSizes = BertSizes()
    embedding_size: int = Field(default=512, ge=1)
    """Dimension of the common space."""
    temperature: float = Field(default=10.0, gt=0)
    """Factor on the cosines of patches and sentence inside the softmax over the patches: the larger, the sharper."""

    @property
    def grid_side(self) -> int:
        """Rows (and columns) of the grid."""
        return self.image.grid_side

    @property
    def has_opt_out(self) -> bool:
        """Whether attention can be withheld from the image."""
        return False

    @property
    def has_word_maps(self) -> bool:
        """Whether a sentence's map is the mean of its words' maps: here it is the sentence's own."""
        return False


class RegionsConfig(StrictModel):
    """What the regions know of their places and of each other."""

    positions: bool = True
    """Whether each has a learned vector for its place in the frame."""
    hidden_size: int = Field(default=512, ge=1)
    """Dimension of a region while they look at each other."""
    layers: int = Field(default=2, ge=0)
    """Of the transformer through which they look at each other; 0: each is by itself."""
    heads: int = Field(default=8, ge=1)
    """Of its self-attention; they divide `hidden_size`."""
    intermediate_size: int = Field(default=1024, ge=1)
    """Dimension between the two layers of a block."""

    @model_validator(mode="after")
    def _sizes_agree(self) -> Self:
        if self.hidden_size % self.heads:
            raise ValueError(f"hidden_size ({self.hidden_size}) must be a multiple of heads ({self.heads})")
        return self


class GrounderConfig(StrictModel):
    """wronglung-1: a sentence's own map by one softmax over the regions, and an opt-out decided per sentence."""

    architecture: Literal["grounder"]
    """This architecture."""
    image: ImageEncoderConfig = ImageEncoderConfig()
    regions: RegionsConfig = RegionsConfig()
    text: BertSizes = BertSizes()
    embedding_size: int = Field(default=256, ge=1)
    """Dimension in which questions meet regions."""

    @property
    def grid_side(self) -> int:
        """Rows (and columns) of the grid."""
        return self.image.grid_side

    @property
    def has_opt_out(self) -> bool:
        """Whether attention can be withheld from the image."""
        return True

    @property
    def has_word_maps(self) -> bool:
        """Whether a sentence's map is the mean of its words' maps: here it is the sentence's own."""
        return False


_ARCHITECTURES = ("gloria", "dual_encoder", "grounder")


def _architecture(network: Any) -> str:
    """Which class reads `network`. The files of the first models, all GLoRIA, do not name it."""
    if isinstance(network, dict):
        return str(network.get("architecture", "gloria"))
    return str(getattr(network, "architecture", ""))


AnyNetworkConfig = Annotated[
    Annotated[NetworkConfig, Tag("gloria")]
    | Annotated[DualEncoderConfig, Tag("dual_encoder")]
    | Annotated[GrounderConfig, Tag("grounder")],
    Discriminator(
        _architecture,
        custom_error_type="architecture_unknown",
        custom_error_message=f"its architecture must be one of: {', '.join(_ARCHITECTURES)}",
    ),
]
"""One class per architecture; `registry.build_network` makes the network of each."""


class ModelConfig(StrictModel):
    """The whole of a model's `config.json`."""

    format: Literal["wronglung-encoder/1"] = "wronglung-encoder/1"
    version: str = Field(default="1.0", min_length=1)
    """Version of the model, as served by default."""
    network: AnyNetworkConfig = NetworkConfig()
    preprocess: PreprocessConfig = PreprocessConfig()
    cleaning: CleaningConfig = CleaningConfig()
    weights_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """SHA-256 of `weights.safetensors`."""
    tokenizer_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """SHA-256 of `tokenizer/tokenizer.json`."""
