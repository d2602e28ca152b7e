"""What every architecture does: encode images, encode sentences, match one of each. `engine` knows no more of it.

Shapes: B images or sentences, N = R·C regions (the cells of the grid, row-major from the top left), W words.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from torch import Tensor, nn

from wronglung.alignment import FloatArray
from wronglung.model.text import TokenizedSentence

Embedding = tuple[Tensor, ...]
"""What an encoder says of one image or one sentence: tensors, so that caches know how much memory it takes."""
ImageT = TypeVar("ImageT", bound=Embedding)
TextT = TypeVar("TextT", bound=Embedding)


class Match(NamedTuple):
    """One sentence held against one image."""

    map: FloatArray
    """(N,) float32, >= 0; with the opt-out weight it sums to 1."""
    word_maps: FloatArray | None
    """(W, N) float32, one for each of the sentence's words but the end token; their mean is `map`. None: the
    architecture has no such maps (`has_word_maps` of its config)."""
    opt_out: float
    """Weight withheld from the image; 0 for architectures without opt-out."""
    local_similarity: float
    """How well the best-matching parts agree; comparable within one model."""
    global_similarity: float
    """Cosine of the two global embeddings."""


class Architecture(nn.Module, ABC, Generic[ImageT, TextT]):
    """A network with one set of weights and these abilities; nothing else is asked of it.

    Images are encoded in batches, sentences in batches of equal length: no padding is ever encoded. What is said of an
    item must not depend on the others in its batch, but for rounding.
    """

    config: Any
    """Its own class of `wronglung.model.config`, with `text` (`BertSizes`), `grid_side`, `has_opt_out` and
    `has_word_maps`."""

    @abstractmethod
    def encoders(self) -> Sequence[nn.Module]:
        """The parts that may compute in another precision. What is outside of them, and `match`, stays in float32."""

    @abstractmethod
    def encode_images(self, frames_BHW: Tensor) -> list[ImageT]:
        """Encode normalised grey frames, float32 of any equal size, in the encoders' precision.

        Raises:
            ValueError: the tensor is not [B, H, W].
        """

    @abstractmethod
    def encode_sentences(self, sentences: list[TokenizedSentence]) -> list[TextT]:
        """Encode sentences that all have the same number of word pieces, in the encoders' precision.

        Raises:
            ValueError: the sentences differ in length, or there are none.
        """

    @abstractmethod
    def map_regions(self, image: ImageT, text: TextT) -> Tensor:
        """(N,) where a sentence looks, >= 0: the map of `match` but for a factor, and differentiable."""

    @abstractmethod
    def match(self, image: ImageT, sentence: TokenizedSentence, text: TextT) -> Match:
        """Hold a sentence (`text` is its embedding) against an image; both embeddings are float32."""


AnyArchitecture = Architecture[Any, Any]
