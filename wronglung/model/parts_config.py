"""Options of the parts that networks are made of: image encoders, text encoders, attention."""

from typing import Literal, Self

from pydantic import Field, model_validator

from wronglung.model.strict import StrictModel


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
