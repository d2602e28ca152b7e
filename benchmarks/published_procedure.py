"""GLoRIA's maps as the published code computes them: every sentence with an image pass of its own, its text padded to
97 word pieces, pieces joined and sentences matched in Python loops.

Slow and plain on purpose. The engine is measured against it and must give the same maps.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from wronglung.model.config import ModelConfig
from wronglung.model.network import AlignmentNetwork
from wronglung.model.preprocess import Pixels, preprocess
from wronglung.model.text import SentenceTokenizer, TokenizedSentence
from wronglung.model.tokenizer import CONTINUATION, PAD

PIECES = 97
_TEMPERATURE = 4.0


class Published(NamedTuple):
    """What is computed of one sentence over one image."""

    map: npt.NDArray[np.float32]
    """(R, C)."""
    local_similarity: float
    global_similarity: float


class PublishedProcedure:
    """The published code's way through the same weights.

    Args:
        network: GLoRIA without opt-out vector, in evaluation mode.
        config: its model's.
        tokenize: its tokenizer and cleaning.
        pieces: the vocabulary's pieces by number.
    """

    def __init__(
        self, network: AlignmentNetwork, config: ModelConfig, tokenize: SentenceTokenizer, pieces: list[str]
    ) -> None:
        self._network = network
        self._config = config
        self._tokenize = tokenize
        self._pieces = pieces

    @torch.inference_mode()
    def report(self, pixels: Pixels, sentences: list[str]) -> list[Published]:
        """One pass per sentence."""
        return [self._sentence(pixels, sentence) for sentence in sentences]

    def _sentence(self, pixels: Pixels, sentence: str) -> Published:
        frame, _ = preprocess(pixels, self._config.preprocess)
        image = self._network.image(torch.from_numpy(frame).unsqueeze(0))
        tokenized = self._tokenize(sentence)
        words_BDT, words = self._encode_padded(tokenized)
        attended = self._attention_maps(words_BDT, image.regions_BND, words)
        return Published(
            map=attended.mean(0).numpy(),
            local_similarity=self._local_similarity(words_BDT, image.regions_BND, tokenized.content_pieces),
            global_similarity=float(functional.cosine_similarity(words_BDT.mean(-1), image.global_BD)[0]),
        )

    def _encode_padded(self, sentence: TokenizedSentence) -> tuple[Tensor, list[str]]:
        """(1, D, 97) word vectors, zeros behind the end token, and the 97 words."""
        padding = PIECES - len(sentence.ids)
        ids_BT = torch.tensor([[*sentence.ids, *[self._pieces.index(PAD)] * padding]])
        mask_BT = torch.tensor([[1] * len(sentence.ids) + [0] * padding])
        outputs = self._network.text.bert(input_ids=ids_BT, attention_mask=mask_BT, output_hidden_states=True)
        layers_LTD = torch.stack(outputs.hidden_states[-4:])[:, 0]
        joined, words = self._join_pieces(layers_LTD, [self._pieces[i] for i in ids_BT[0].tolist()])
        return joined.sum(0).T.unsqueeze(0), words

    @staticmethod
    def _join_pieces(layers_LTD: Tensor, pieces: list[str]) -> tuple[Tensor, list[str]]:
        """Sum the pieces of each word up to the end token; then pad with zeros."""
        words: list[str] = []
        vectors: list[Tensor] = []
        for position, piece in enumerate(pieces):
            if piece == PAD:
                break
            if piece.startswith(CONTINUATION):
                words[-1] += piece[len(CONTINUATION) :]
                vectors[-1] = vectors[-1] + layers_LTD[:, position]
            else:
                words.append(piece)
                vectors.append(layers_LTD[:, position])
        zeros = torch.zeros_like(layers_LTD[:, 0])
        missing = PIECES - len(words)
        return torch.stack(vectors + [zeros] * missing, dim=1), words + [PAD] * missing

    def _attention_maps(self, words_BDT: Tensor, regions_BND: Tensor, words: list[str]) -> Tensor:
        """(W, R, C): where the start token and every word look."""
        asking = sum(word != PAD for word in words) - 1  # not the end token
        maps_BLN, _ = _attend(words_BDT[:, :, :asking], regions_BND)
        side = self._config.network.grid_side
        return maps_BLN[0].reshape(-1, side, side)

    @staticmethod
    def _local_similarity(words_BDT: Tensor, regions_BND: Tensor, content_pieces: int) -> float:
        """5 × the largest cosine of a word with what it attends to; as many rows as there were pieces, and one."""
        queries_BDL = words_BDT[:, :, 1 : content_pieces + 2]
        _, mix_BDL = _attend(queries_BDL, regions_BND)
        cosines_BL = functional.cosine_similarity(queries_BDL, mix_BDL, dim=1)
        return float(5 * cosines_BL.max())


def _attend(queries_BDL: Tensor, regions_BND: Tensor) -> tuple[Tensor, Tensor]:
    """Maps (B, L, N) and attended mixes (B, D, L), in the published code's order of operations."""
    scores_BNL = torch.bmm(regions_BND.contiguous(), queries_BDL.contiguous())
    over_words_BNL = torch.softmax(scores_BNL, dim=-1)
    over_regions_BLN = torch.softmax(over_words_BNL.transpose(1, 2).contiguous() * _TEMPERATURE, dim=-1)
    mix_BDL = torch.bmm(regions_BND.transpose(1, 2).contiguous(), over_regions_BLN.transpose(1, 2).contiguous())
    return over_regions_BLN, mix_BDL
