"""A GLoRIA of a few thousand weights, for tests of training: frames of 32 pixels, a grid of 8 × 8."""

from typing import Literal

import torch

from wronglung.model.config import CleaningConfig, NetworkConfig
from wronglung.model.network import AlignmentNetwork
from wronglung.model.parts_config import AttentionConfig, ImageEncoderConfig, TextEncoderConfig
from wronglung.model.text import SentenceTokenizer
from wronglung.model.tokenizer import from_vocabulary, vocabulary_with_alphabet

TOKENIZER = from_vocabulary(
    vocabulary_with_alphabet(["nodule", "in", "the", "left", "right", "lung", "heart", "large"])
)
TOKENIZE = SentenceTokenizer(TOKENIZER, CleaningConfig(drop_single_words=False), 97)


def tiny_config(*, opt_out: bool = False, softmax: Literal["double", "single"] = "double") -> NetworkConfig:
    """Its sizes."""
    return NetworkConfig(
        image=ImageEncoderConfig(
            input_size=32, embedding_size=4, hidden_sizes=(8, 8), depths=(1, 1), block="basic", local_stage=1
        ),
        text=TextEncoderConfig(
            vocab_size=TOKENIZER.get_vocab_size(), hidden_size=8, layers=4, heads=2, intermediate_size=8, dropout=0
        ),
        attention=AttentionConfig(opt_out=opt_out, softmax=softmax),
    )


def tiny_network(
    *, opt_out: bool = False, softmax: Literal["double", "single"] = "double", seed: int = 0
) -> AlignmentNetwork:
    """With random weights."""
    torch.manual_seed(seed)
    return AlignmentNetwork(tiny_config(opt_out=opt_out, softmax=softmax))
