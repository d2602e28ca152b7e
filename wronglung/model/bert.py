"""The text encoder: BERT's last hidden layers, summed, pieces joined to words.

Shapes: B sentences of equal length, T word pieces, W words (start and end token included), D embedding size.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from wronglung.model.config import TextEncoderConfig
from wronglung.model.text import TokenizedSentence


class TextFeatures(NamedTuple):
    """What the text encoder says of one sentence."""

    words_WD: Tensor
    """Word embeddings: start token, words, end token."""
    global_D: Tensor
    """Global embedding; only its direction has a meaning."""


class TextEncoder(nn.Module):
    """Tokenized sentences → word and global embeddings. No padding is ever encoded."""

    def __init__(self, config: TextEncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.bert = BertModel(
            BertConfig(
                vocab_size=config.vocab_size,
                hidden_size=config.hidden_size,
                num_hidden_layers=config.layers,
                num_attention_heads=config.heads,
                intermediate_size=config.intermediate_size,
                max_position_embeddings=config.max_positions,
                type_vocab_size=config.segments,
                hidden_act=config.activation,
                layer_norm_eps=config.layer_norm_eps,
                hidden_dropout_prob=config.dropout,
                attention_probs_dropout_prob=config.dropout,
            ),
            add_pooling_layer=False,
        )

    def forward(self, sentences: list[TokenizedSentence]) -> list[TextFeatures]:
        """Encode sentences that all have the same number of word pieces, as one batch.

        Raises:
            ValueError: the sentences differ in length, or there are none.
        """
        if len({len(sentence.ids) for sentence in sentences}) != 1:
            raise ValueError("expected one or more sentences of the same number of word pieces")
        device = self.bert.device
        ids_BT = torch.tensor([sentence.ids for sentence in sentences], device=device)
        outputs = self.bert(input_ids=ids_BT, output_hidden_states=True)
        pieces_BTD = torch.stack(outputs.hidden_states[-self.config.summed_layers :]).sum(0)
        return [self._join(pieces_BTD[i], sentence) for i, sentence in enumerate(sentences)]

    def _join(self, pieces_TD: Tensor, sentence: TokenizedSentence) -> TextFeatures:
        word_of_piece = torch.tensor(sentence.word_of_piece, device=pieces_TD.device)
        words_WD = pieces_TD.new_zeros(len(sentence.words), pieces_TD.shape[1])
        words_WD = words_WD.index_add(0, word_of_piece, pieces_TD)
        return TextFeatures(words_WD, words_WD.sum(0) / self.config.max_word_pieces)


def encode_grouped(encoder: TextEncoder, sentences: list[TokenizedSentence]) -> list[TextFeatures]:
    """Encode sentences of any lengths, one batch per length, in the order given."""
    groups: dict[int, list[int]] = {}
    for index, sentence in enumerate(sentences):
        groups.setdefault(len(sentence.ids), []).append(index)
    features: dict[int, TextFeatures] = {}
    for indices in groups.values():
        features.update(zip(indices, encoder([sentences[i] for i in indices]), strict=True))
    return [features[i] for i in range(len(sentences))]
