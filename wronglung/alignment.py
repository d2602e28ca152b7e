"""What an encoder says of one image: the result type that the in-process engine and the client share."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wronglung.errors import WronglungError
from wronglung.geometry import Frame

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Exactly which weights computed an answer: served name, served version, SHA-256 of the weights file in hex."""

    name: str
    version: str
    weights_digest: str


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """The attention maps of S sentences over one image (R × C cells over `frame`, row-major from the top left).

    Row i belongs to sentence i. A sentence that failed has its error in ``errors[i]``, NaN in every array, no words.
    """

    maps: FloatArray
    """(S, R, C) float32, values >= 0; ``maps[i].sum() + opt_out[i] == 1`` within float32 rounding."""
    opt_out: FloatArray
    """(S,) float32 in [0, 1]: attention withheld from the image; 0 for models without opt-out."""
    local_similarity: FloatArray
    """(S,) float32. GLoRIA: 5 × the largest cosine of a word with what it attends to, in [-5, 5]."""
    global_similarity: FloatArray
    """(S,) float32 in [-1, 1]."""
    words: tuple[tuple[str, ...], ...]
    """The words that took part, per sentence."""
    truncated: BoolArray
    """(S,) bool: the sentence was longer than the model's limit and its end was ignored."""
    errors: tuple[WronglungError | None, ...]
    """Why a sentence failed, or None."""
    frame: Frame
    """Where the grid lies in the original image."""
    model: ModelIdentity
    """The weights that computed this."""
    word_maps: tuple[FloatArray, ...] | None = None
    """Per sentence (len(words[i]), R, C) float32 when asked for; their mean is ``maps[i]``."""
    deterministic: bool = True
    """Whether the floats are independent of what else was being computed."""

    def is_sound(self, index: int) -> bool:
        """Whether every value of one sentence is a number; those of a failed sentence are not."""
        columns = (self.maps, self.opt_out, self.local_similarity, self.global_similarity)
        word_maps = [] if self.word_maps is None else [self.word_maps[index]]
        return all(bool(np.isfinite(each).all()) for each in [*(column[index] for column in columns), *word_maps])
