"""The text encoder: BERT's last hidden layers, summed, pieces joined to words.

Shapes: B sentences of equal length, T word pieces, W words (start and end token included), D embedding size.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from wronglung.model.parts_config import BertSizes, TextEncoderConfig
from wronglung.model.text import TokenizedSentence

FeaturesT = TypeVar("FeaturesT")


class TextFeatures(NamedTuple):
    """What the text encoder says of one sentence."""

    words_WD: Tensor
    """Word embeddings: start token, words, end token."""
    global_D: Tensor
    """Global embedding; only its direction has a meaning."""


def bert_config(sizes: BertSizes) -> BertConfig:
    """The sizes as transformers wants them."""
    return BertConfig(
        vocab_size=sizes.vocab_size,
        hidden_size=sizes.hidden_size,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        intermediate_size=sizes.intermediate_size,
        max_position_embeddings=sizes.max_positions,
        type_vocab_size=sizes.segments,
        hidden_act=sizes.activation,
        layer_norm_eps=sizes.layer_norm_eps,
        hidden_dropout_prob=sizes.dropout,
        attention_probs_dropout_prob=sizes.dropout,
    )


def piece_ids(sentences: list[TokenizedSentence], device: torch.device) -> Tensor:
    """(B, T) vocabulary indices.

    Raises:
        ValueError: the sentences differ in length, or there are none.
    """
    if len({len(sentence.ids) for sentence in sentences}) != 1:
        raise ValueError("expected one or more sentences of the same number of word pieces")
    return torch.tensor([sentence.ids for sentence in sentences], device=device)


class TextEncoder(nn.Module):
    """Tokenized sentences → word and global embeddings. No padding is ever encoded."""

    def __init__(self, config: TextEncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.bert = BertModel(bert_config(config), add_pooling_layer=False)

    def forward(self, sentences: list[TokenizedSentence]) -> list[TextFeatures]:
        """Encode sentences that all have the same number of word pieces, as one batch.

        Raises:
            ValueError: the sentences differ in length, or there are none.
        """
        outputs = self.bert(input_ids=piece_ids(sentences, self.bert.device), output_hidden_states=True)
        last = torch.stack(outputs.hidden_states[-self.config.summed_layers :])
        pieces_BTD = last.sum(0, dtype=torch.float32)  # and so are words summed, whatever the encoder's precision
        return [self._join(pieces_BTD[i], sentence) for i, sentence in enumerate(sentences)]

    def _join(self, pieces_TD: Tensor, sentence: TokenizedSentence) -> TextFeatures:
        word_of_piece = torch.tensor(sentence.word_of_piece, device=pieces_TD.device)
        words_WD = pieces_TD.new_zeros(len(sentence.words), pieces_TD.shape[1])
        words_WD = words_WD.index_add(0, word_of_piece, pieces_TD)
        return TextFeatures(words_WD, words_WD.sum(0) / self.config.max_word_pieces)


def encode_grouped(
    encode: Callable[[list[TokenizedSentence]], list[FeaturesT]], sentences: list[TokenizedSentence]
) -> list[FeaturesT]:
    """Encode sentences of any lengths, one batch per length, in the order given.

    Args:
        encode: encodes sentences of equal length, e.g. a `TextEncoder`.
        sentences: to encode.
    """
    groups: dict[int, list[int]] = {}
    for index, sentence in enumerate(sentences):
        groups.setdefault(len(sentence.ids), []).append(index)
    features: dict[int, FeaturesT] = {}
    for indices in groups.values():
        features.update(zip(indices, encode([sentences[i] for i in indices]), strict=True))
    return [features[i] for i in range(len(sentences))]
