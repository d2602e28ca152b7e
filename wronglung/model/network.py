"""The two encoders and the attention between them, as one module with one set of weights."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from wronglung.model.attention import LOCAL_SIMILARITY_SCALE, Attention, attend, matching_rows, word_similarities
from wronglung.model.bert import TextEncoder, TextFeatures
from wronglung.model.config import NetworkConfig
from wronglung.model.image import ImageEncoder


class AlignmentNetwork(nn.Module):
    """Image encoder, text encoder and, for the opt-out variant, the learned vector beside the regions."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        dimension = config.text.hidden_size
        self.image = ImageEncoder(config.image, dimension)
        self.text = TextEncoder(config.text)
        self.opt_out = nn.Parameter(torch.randn(dimension)) if config.attention.opt_out else None

    def attend(self, words_LD: Tensor, regions_ND: Tensor) -> Attention:
        """`wronglung.model.attention.attend` with this network's temperature and opt-out vector."""
        return attend(words_LD, regions_ND, temperature=self.config.attention.temperature, opt_out_D=self.opt_out)

    def map_words(self, text: TextFeatures, regions_ND: Tensor) -> Attention:
        """Where the start token and every word look (the end token does not ask)."""
        return self.attend(text.words_WD[:-1], regions_ND)

    def local_similarity(self, text: TextFeatures, content_pieces: int, regions_ND: Tensor) -> Tensor:
        """(…,) 5 × the largest cosine of a word with what it attends to."""
        rows = matching_rows(text.words_WD, content_pieces)
        return LOCAL_SIMILARITY_SCALE * word_similarities(rows, self.attend(rows, regions_ND)).amax(-1)

    @staticmethod
    def global_similarity(text_D: Tensor, image_D: Tensor) -> Tensor:
        """(…,) cosine of the two global embeddings."""
        return functional.cosine_similarity(text_D, image_D, dim=-1)
