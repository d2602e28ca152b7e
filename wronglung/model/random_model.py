"""Tiny models with random weights and a small vocabulary: for tests and for trying out a server. Their maps mean
nothing, and they answer within milliseconds."""

from pathlib import Path

import torch
from torch import nn

from wronglung.model.checkpoint import save_checkpoint
from wronglung.model.config import (
    AnyNetworkConfig,
    CleaningConfig,
    DualEncoderConfig,
    GrounderConfig,
    ModelConfig,
    NetworkConfig,
    PreprocessConfig,
    RegionsConfig,
)
from wronglung.model.parts_config import (
    AttentionConfig,
    BertSizes,
    ImageEncoderConfig,
    TextEncoderConfig,
    VisionTransformerConfig,
)
from wronglung.model.registry import build_network
from wronglung.model.tokenizer import from_vocabulary, vocabulary_with_alphabet

_WORDS = ("clear", "effusion", "heart", "is", "left", "lung", "nodule", "pleural", "right", "the", "there")
_TOKENIZER = from_vocabulary(vocabulary_with_alphabet(_WORDS))
_BERT = BertSizes(
    vocab_size=_TOKENIZER.get_vocab_size(), hidden_size=16, layers=2, heads=2, intermediate_size=32, max_positions=97
)


def create_random_model(directory: Path, *, opt_out: bool, seed: int = 0) -> ModelConfig:
    """Write a GLoRIA with a 19 × 19 grid."""
    image = ImageEncoderConfig(
        input_size=152, embedding_size=4, hidden_sizes=(4, 8, 8), depths=(1, 1, 1), block="basic", local_stage=2
    )
    text = TextEncoderConfig(
        vocab_size=_TOKENIZER.get_vocab_size(),
        hidden_size=8,
        layers=3,
        heads=2,
        intermediate_size=16,
        max_positions=97,
    )
    network = NetworkConfig(image=image, text=text, attention=AttentionConfig(opt_out=opt_out))
    return _write(directory, network, seed, spread=None)


def create_random_dual_encoder(directory: Path, *, seed: int = 0) -> ModelConfig:
    """Write a CLIP-like dual encoder with a 7 × 7 grid."""
    image = VisionTransformerConfig(
        input_size=112, patch_size=16, hidden_size=16, layers=2, heads=2, intermediate_size=32
    )
    return _write(directory, DualEncoderConfig(image=image, text=_BERT, embedding_size=8), seed, spread=0.5)


def create_random_grounder(directory: Path, *, seed: int = 0) -> ModelConfig:
    """Write a wronglung-1 with a 10 × 10 grid."""
    image = ImageEncoderConfig(
        input_size=80, embedding_size=4, hidden_sizes=(4, 8), depths=(1, 1), block="basic", local_stage=2
    )
    regions = RegionsConfig(hidden_size=16, layers=1, heads=2, intermediate_size=32)
    network = GrounderConfig(architecture="grounder", image=image, regions=regions, text=_BERT, embedding_size=8)
    return _write(directory, network, seed, spread=0.5)


def _write(directory: Path, network: AnyNetworkConfig, seed: int, *, spread: float | None) -> ModelConfig:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        built = build_network(network)
        if spread is not None:
            _spread(built, spread)
    return save_checkpoint(
        directory, built, _TOKENIZER, preprocess=PreprocessConfig(), cleaning=CleaningConfig(drop_single_words=False)
    )


@torch.no_grad()
def _spread(network: nn.Module, deviation: float) -> None:
    """Draw every matrix anew: as transformers draws them, a sentence's words would hardly reach its start token."""
    for parameter in network.parameters():
        if parameter.ndim > 1:
            parameter.normal_(std=deviation)
