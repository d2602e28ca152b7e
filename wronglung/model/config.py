"""Every option of a model, as stored in its `config.json`. Unknown keys and wrong types are errors that name them."""

import re
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, model_validator

from wronglung.keys import locate, suggest
from wronglung.model.errors import ModelFilesError


class StrictModel(BaseModel):
    """Base of all configuration: frozen, no unknown keys, no silent conversion."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


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


class ImageEncoderConfig(StrictModel):
    """A residual network (`transformers.ResNetModel`); the defaults are ResNet-50 at 299 pixels."""

    input_size: int = Field(default=299, ge=1)
    """The frame is resized to this square (bilinear, corners aligned)."""
    embedding_size: int = Field(default=64, ge=1)
    """Channels of the stem."""
    hidden_sizes: tuple[int, ...] = (256, 512, 1024, 2048)
    """Channels of each stage."""
    depths: tuple[int, ...] = (3, 4, 6, 3)
    """Blocks of each stage."""
    block: Literal["basic", "bottleneck"] = "bottleneck"
    """Kind of residual block."""
    local_stage: int = Field(default=3, ge=1)
    """The stage, counted from 1, whose cells are the regions; the last stage gives the global embedding."""

    @model_validator(mode="after")
    def _stages_agree(self) -> Self:
        if len(self.hidden_sizes) != len(self.depths):
            raise ValueError(f"hidden_sizes has {len(self.hidden_sizes)} stages, depths {len(self.depths)}")
        if self.local_stage > len(self.depths):
            raise ValueError(f"local_stage {self.local_stage} is beyond the last of {len(self.depths)} stages")
        return self

    @property
    def grid_side(self) -> int:
        """Rows (and columns) of the grid: the stem halves the input twice, each stage after the first once."""
        side = self.input_size
        for _ in range(2 + self.local_stage - 1):
            side = (side + 1) // 2
        return side


class VisionTransformerConfig(StrictModel):
    """CLIP's vision transformer (`transformers.CLIPVisionModel`); the defaults are ViT-B/16 at 224 pixels."""

    input_size: int = Field(default=224, ge=1)
    """The frame is resized to this square (bilinear, corners aligned)."""
    patch_size: int = Field(default=16, ge=1)
    """Side of a patch, which is a cell of the grid."""
    hidden_size: int = Field(default=768, ge=1)
    layers: int = Field(default=12, ge=1)
    heads: int = Field(default=12, ge=1)
    intermediate_size: int = Field(default=3072, ge=1)
    activation: str = Field(default="quick_gelu", min_length=1)
    """Between the two layers of a block, by transformers' name ("hidden_act")."""
    layer_norm_eps: float = Field(default=1e-5, gt=0)
    """Added to the variance in every normalisation."""

    @model_validator(mode="after")
    def _sizes_agree(self) -> Self:
        if self.hidden_size % self.heads:
            raise ValueError(f"hidden_size ({self.hidden_size}) must be a multiple of heads ({self.heads})")
        if self.input_size % self.patch_size:
            raise ValueError(f"input_size ({self.input_size}) must be a multiple of patch_size ({self.patch_size})")
        return self

    @property
    def grid_side(self) -> int:
        """Rows (and columns) of the grid."""
        return self.input_size // self.patch_size


class BertSizes(StrictModel):
    """A BERT (`transformers.BertModel`); the defaults are BERT-base with a vocabulary of 28,996 pieces."""

    vocab_size: int = Field(default=28_996, ge=5)
    """Word pieces that have an embedding."""
    hidden_size: int = Field(default=768, ge=1)
    """Dimension of every hidden layer."""
    layers: int = Field(default=12, ge=1)
    """Transformer blocks."""
    heads: int = Field(default=12, ge=1)
    """Of the self-attention; they divide `hidden_size`."""
    intermediate_size: int = Field(default=3072, ge=1)
    """Dimension between the two layers of a block."""
    max_positions: int = Field(default=512, ge=2)
    """Places in a sentence that have an embedding."""
    segments: int = Field(default=2, ge=1)
    """Rows of the segment embeddings ("token_type"); every piece belongs to the first."""
    activation: str = Field(default="gelu", min_length=1)
    """Between the two layers of a block, by transformers' name ("hidden_act")."""
    layer_norm_eps: float = Field(default=1e-12, gt=0)
    """Added to the variance in every normalisation."""
    max_word_pieces: int = Field(default=97, ge=3)
    """Longest sentence, start and end token included."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Used in training only."""

    @model_validator(mode="after")
    def _sizes_agree(self) -> Self:
        if self.hidden_size % self.heads:
            raise ValueError(f"hidden_size ({self.hidden_size}) must be a multiple of heads ({self.heads})")
        if self.max_word_pieces > self.max_positions:
            raise ValueError(f"max_word_pieces ({self.max_word_pieces}) exceeds max_positions ({self.max_positions})")
        return self


class TextEncoderConfig(BertSizes):
    """A BERT whose word vectors meet the regions: `hidden_size` is also the dimension of that space."""

    summed_layers: int = Field(default=4, ge=1)
    """How many of the last hidden layers are summed to a piece's vector."""

    @model_validator(mode="after")
    def _layers_exist(self) -> Self:
        if self.summed_layers > self.layers + 1:
            raise ValueError(f"summed_layers ({self.summed_layers}) exceeds the {self.layers + 1} hidden layers")
        return self


class AttentionConfig(StrictModel):
    """How words attend to regions."""

    softmax: Literal["double", "single"] = "double"
    """"double": GLoRIA's, over the words for each region and then over the regions for each word; a word's map is then
    flat within a factor exp(temperature). "single": over the regions alone, so that a map may be as sharp as it likes
    and a sentence's length has no say in it."""
    temperature: float = Field(default=4.0, gt=0)
    """Factor inside the softmax over the regions: on the first softmax ("temp1"), or on the scores if there is none."""
    opt_out: bool = False
    """A learned vector stands beside the regions: attention given to it is withheld from the image."""


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


ConfigT = TypeVar("ConfigT", bound=BaseModel)


def parse_config(kind: type[ConfigT], json_text: str, source: str) -> ConfigT:
    """Read a configuration from JSON.

    Args:
        kind: the class to read.
        json_text: the JSON document.
        source: where it came from, for the error message.

    Raises:
        ModelFilesError: not JSON, or a key is unknown, missing or of the wrong type; the message names each key.
    """
    try:
        return kind.model_validate_json(json_text)
    except ValidationError as error:
        lines = [f"  {_fault(kind, dict(fault))}" for fault in error.errors()]
        raise ModelFilesError("\n".join([f"{source} is not a valid {kind.__name__}:", *lines])) from error


def _fault(kind: type[BaseModel], fault: dict[str, Any]) -> str:
    key, known = locate(kind, fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"{key}: unknown key{suggest(str(fault['loc'][-1]), known)}"
    return f"{key or '(document)'}: {fault['msg']}{_given(fault['type'], fault['input'])}"


def _given(fault: str, given: object) -> str:
    """What stood there in place of a number, and how YAML takes it for one."""
    if fault not in ("float_type", "int_type") or not isinstance(given, str):
        return ""
    exponent = re.fullmatch(r"([-+]?\d+)[eE]([-+]?\d+)", given)
    fix = f" (YAML takes it for a word: write {exponent[1]}.0e{int(exponent[2]):+d})" if exponent else ""
    return f", got {given!r}{fix}"
