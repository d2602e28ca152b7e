"""One of each architecture, of a few thousand weights, for tests of training: frames of 32 pixels, a grid of 8 × 8."""

from tests.tiny_gloria import TOKENIZE, TOKENIZER, tiny_config
from wronglung.model.config import AnyNetworkConfig, DualEncoderConfig, GrounderConfig, RegionsConfig
from wronglung.model.parts_config import BertSizes, VisionTransformerConfig

_TEXT = BertSizes(
    vocab_size=TOKENIZER.get_vocab_size(), hidden_size=8, layers=2, heads=2, intermediate_size=8, dropout=0
)
CONFIGS: dict[str, AnyNetworkConfig] = {
    "gloria": tiny_config(),
    "gloria with opt-out": tiny_config(opt_out=True),
    "dual encoder": DualEncoderConfig(
        image=VisionTransformerConfig(
            input_size=32, patch_size=4, hidden_size=8, layers=1, heads=2, intermediate_size=8
        ),
        text=_TEXT,
        embedding_size=8,
    ),
    "grounder": GrounderConfig(
        architecture="grounder",
        image=tiny_config().image,
        regions=RegionsConfig(hidden_size=8, layers=1, heads=2, intermediate_size=8),
        text=_TEXT,
        embedding_size=8,
    ),
}
"""Sizes by name."""
__all__ = ["CONFIGS", "TOKENIZE"]
