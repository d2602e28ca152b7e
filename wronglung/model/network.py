"""GLoRIA: the two encoders and the attention between them, as one module with one set of weights."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from wronglung.model.architecture import Architecture, Match
from wronglung.model.attention import LOCAL_SIMILARITY_SCALE, Attention, attend, matching_rows, word_similarities
from wronglung.model.bert import TextEncoder, TextFeatures
from wronglung.model.config import NetworkConfig
from wronglung.model.image import ImageEncoder, ImageFeatures
from wronglung.model.text import TokenizedSentence


class AlignmentNetwork(Architecture[ImageFeatures, TextFeatures]):
    """Image encoder, text encoder and, for the opt-out variant, the learned vector beside the regions."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        dimension = config.text.hidden_size
        self.image = ImageEncoder(config.image, dimension)
        self.text = TextEncoder(config.text)
        self.opt_out = nn.Parameter(torch.randn(dimension)) if config.attention.opt_out else None

    def encoders(self) -> Sequence[nn.Module]:
        """Both encoders; the opt-out vector belongs to the attention."""
        return self.image, self.text

    def encode_images(self, frames_BHW: Tensor) -> list[ImageFeatures]:
        """Regions (N, D) and the global embedding (D,) of each image."""
        return [ImageFeatures(*pair) for pair in zip(*self.image(frames_BHW), strict=True)]

    def encode_sentences(self, sentences: list[TokenizedSentence]) -> list[TextFeatures]:
        """Words (W, D) and the global embedding (D,) of each sentence."""
        features: list[TextFeatures] = self.text(sentences)
        return features

    def map_regions(self, image: ImageFeatures, text: TextFeatures) -> Tensor:
        """The mean of the words' maps; with an opt-out vector its sum is less than 1."""
        regions_ND, _ = image
        return self.map_words(text, regions_ND).maps_LN.mean(0)

    def match(self, image: ImageFeatures, sentence: TokenizedSentence, text: TextFeatures) -> Match:
        """The words' maps, and as the sentence's map their mean."""
        regions_ND, global_D = image
        attention = self.map_words(text, regions_ND)
        word_maps = attention.maps_LN.cpu().numpy()
        return Match(
            map=word_maps.mean(0),
            word_maps=word_maps,
            opt_out=float(attention.opt_out_L.mean()),
            local_similarity=float(self.local_similarity(text, sentence.content_pieces, regions_ND)),
            global_similarity=float(self.global_similarity(text.global_D, global_D)),
        )

    def attend(self, words_LD: Tensor, regions_ND: Tensor) -> Attention:
        """`wronglung.model.attention.attend` as this network's config says, with its opt-out vector."""
        config = self.config.attention
        over_words = config.softmax == "double"
        return attend(
            words_LD, regions_ND, temperature=config.temperature, opt_out_D=self.opt_out, over_words=over_words
        )

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
