"""The model in use: images and sentences in, `Alignment`s out."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from wronglung.alignment import Alignment, FloatArray, ModelIdentity
from wronglung.errors import RequestInvalid, SentenceEmpty
from wronglung.geometry import Frame, letterbox
from wronglung.model.architecture import Embedding, Match
from wronglung.model.cache import CacheFigures
from wronglung.model.checkpoint import Checkpoint, load_checkpoint
from wronglung.model.compute import ComputeConfig, Precision
from wronglung.model.encoding import Encoding
from wronglung.model.errors import ModelFilesError
from wronglung.model.preprocess import Pixels, check_pixels
from wronglung.model.text import SentenceTokenizer, TokenizedSentence

_DEFAULTS = ComputeConfig()
_WARM_UP_SENTENCE = "There is no pleural effusion."


def load_model(
    directory: str | Path,
    device: str = "cpu",
    *,
    name: str | None = None,
    version: str | None = None,
    deterministic: bool | None = None,
    precision: Precision = _DEFAULTS.precision,
    image_cache_mib: int = _DEFAULTS.image_cache_mib,
    sentence_cache_mib: int = _DEFAULTS.sentence_cache_mib,
) -> "AlignmentModel":
    """Load a model from its directory.

    Args:
        directory: holds `config.json`, `weights.safetensors` and `tokenizer/`.
        device: a PyTorch device, e.g. "cpu" or "cuda:0".
        name: name to answer under; the directory's by default.
        version: version to answer under; the config's by default.
        deterministic: see `AlignmentModel`. By default on the CPU only: a GPU wants batches.
        precision: of the encoders, "fp32" or "bf16"; answers are float32.
        image_cache_mib: room for image embeddings; 0: keep none.
        sentence_cache_mib: room for sentence embeddings; 0: keep none.

    Raises:
        ModelFilesError: a file is missing, damaged or does not belong to the others.
        ValueError: there is no such precision, or room is negative.
    """
    compute = ComputeConfig(
        deterministic=deterministic,
        precision=precision,
        image_cache_mib=image_cache_mib,
        sentence_cache_mib=sentence_cache_mib,
    )
    directory = Path(directory)
    checkpoint = load_checkpoint(directory)
    identity = ModelIdentity(
        name=directory.resolve().name if name is None else name,
        version=checkpoint.config.version if version is None else version,
        weights_digest=checkpoint.config.weights_sha256,
    )
    return AlignmentModel(checkpoint, identity, torch.device(device), compute)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute on one thread: matrix products are split by the number of threads, and their rounding with them."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Text(NamedTuple):
    """One sentence, tokenized and encoded."""

    sentence: TokenizedSentence
    embedding: Embedding


class AlignmentModel:
    """A loaded model. Not thread-safe: one call at a time.

    Args:
        checkpoint: config, network and tokenizer.
        identity: what the answers say of the model.
        device: where to compute.
        compute: how to. Deterministic means: each image and each sentence by itself, on one thread, so that no float
            depends on what else is in the call, on what is kept from earlier ones, or on the number of cores. Otherwise
            all images form one batch, and sentences of equal length another.
    """

    def __init__(
        self, checkpoint: Checkpoint, identity: ModelIdentity, device: torch.device, compute: ComputeConfig = _DEFAULTS
    ) -> None:
        self._config = checkpoint.config
        self._network = checkpoint.network.to(device).eval()
        self._identity = identity
        self.deterministic = compute.deterministic_on(device.type)
        text = checkpoint.config.network.text
        self._tokenize = SentenceTokenizer(checkpoint.tokenizer, checkpoint.config.cleaning, text.max_word_pieces)
        self._encoding = Encoding(self._network, device, checkpoint.config.preprocess, identity.weights_digest, compute)

    @property
    def weights_digest(self) -> str:
        """SHA-256 of the weights file in hex."""
        return self._identity.weights_digest

    @property
    def has_opt_out(self) -> bool:
        """Whether the model can withhold attention."""
        return self._config.network.has_opt_out

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the maps."""
        side = self._config.network.grid_side
        return side, side

    @property
    def frame_size(self) -> tuple[int, int]:
        """Width and height of the frame, in frame pixels."""
        return self._config.preprocess.crop, self._config.preprocess.crop

    @property
    def max_word_pieces(self) -> int:
        """Longest sentence in word pieces, start and end token included."""
        return self._config.network.text.max_word_pieces

    def identity(self, name: str | None = None, version: str | None = None) -> ModelIdentity:
        """What the answers say of the model, under another name or version if given."""
        return ModelIdentity(
            self._identity.name if name is None else name,
            self._identity.version if version is None else version,
            self._identity.weights_digest,
        )

    def caches(self) -> dict[str, CacheFigures]:
        """What the caches of embeddings, "image" and "sentence", have done so far and hold now."""
        return self._encoding.caches()

    def warm_up(self) -> None:
        """Make one real pass, so that the first caller does not pay for it; the caches are empty afterwards.

        Raises:
            ModelFilesError: what came of it is no number: the weights are not those of a model that can be served.
        """
        (tried,) = self.align([np.zeros(self.frame_size, np.uint8)], [[_WARM_UP_SENTENCE]])
        self._encoding.clear()
        if not tried.is_sound(0):
            message = (
                f"the weights {self.weights_digest[:12]}… compute values that are no numbers: train or import anew"
            )
            raise ModelFilesError(message)

    @torch.inference_mode()
    def align(
        self, images: Sequence[Pixels], sentences: Sequence[Sequence[str]], word_maps: bool = False
    ) -> list[Alignment]:
        """Compute the attention maps of each image's own sentences.

        Args:
            images: H × W uint8 or uint16 arrays; equal ones are encoded once.
            sentences: one list per image; repeated sentences are encoded once.
            word_maps: also return one map per word.

        Returns:
            One `Alignment` per image. A sentence that cannot be aligned has its error there and NaN values.

        Raises:
            ValueError: the lists differ in length, or an image is not a non-empty grey uint8 or uint16 array.
            RequestInvalid: word maps are asked for and the model's architecture has none.
        """
        if len(images) != len(sentences):
            raise ValueError(f"expected one list of sentences per image, got {len(sentences)} for {len(images)} images")
        if word_maps and not self._config.network.has_word_maps:
            raise RequestInvalid("this model has no word maps: ask without them", field="options.word_maps")
        frames = [self._frame(pixels) for pixels in images]
        with _one_thread() if self.deterministic else nullcontext():
            embeddings = self._encoding.images(images)
            texts = self._encode_sentences(list(dict.fromkeys(s for group in sentences for s in group)))
            return [
                self._align_one(image, frame, [texts[s] for s in group], word_maps)
                for image, frame, group in zip(embeddings, frames, sentences, strict=True)
            ]

    def _frame(self, pixels: Pixels) -> Frame:
        check_pixels(pixels)
        height, width = pixels.shape
        options = self._config.preprocess
        return letterbox(width, height, longer_side=options.longer_side, crop=options.crop)

    def _encode_sentences(self, sentences: list[str]) -> dict[str, _Text | SentenceEmpty]:
        tokenized = {sentence: self._tokenize_or_error(sentence) for sentence in sentences}
        encoded = self._encoding.sentences([t for t in tokenized.values() if isinstance(t, TokenizedSentence)])
        return {s: t if isinstance(t, SentenceEmpty) else _Text(t, encoded[t]) for s, t in tokenized.items()}

    def _tokenize_or_error(self, sentence: str) -> TokenizedSentence | SentenceEmpty:
        try:
            return self._tokenize(sentence)
        except SentenceEmpty as error:
            return error

    def _align_one(
        self, image: Embedding, frame: Frame, texts: list[_Text | SentenceEmpty], word_maps: bool
    ) -> Alignment:
        matches = [self._network.match(image, *text) if isinstance(text, _Text) else self._no_match() for text in texts]
        return Alignment(
            maps=np.array([m.map for m in matches], np.float32).reshape(-1, *self.grid),
            opt_out=np.array([m.opt_out for m in matches], np.float32),
            local_similarity=np.array([m.local_similarity for m in matches], np.float32),
            global_similarity=np.array([m.global_similarity for m in matches], np.float32),
            words=tuple(t.sentence.words[:-1] if isinstance(t, _Text) else () for t in texts),
            truncated=np.array([isinstance(t, _Text) and t.sentence.truncated for t in texts], np.bool_),
            errors=tuple(t if isinstance(t, SentenceEmpty) else None for t in texts),
            frame=frame,
            model=self._identity,
            word_maps=tuple(self._on_grid(m.word_maps) for m in matches) if word_maps else None,
            deterministic=self.deterministic,
        )

    def _on_grid(self, maps_WN: FloatArray | None) -> FloatArray:
        assert maps_WN is not None  # `align` has refused architectures without word maps
        return maps_WN.reshape(-1, *self.grid)

    def _no_match(self) -> Match:
        cells = self.grid[0] * self.grid[1]
        nothing = np.full(cells, np.nan, np.float32)
        return Match(nothing, np.empty((0, cells), np.float32), np.nan, np.nan, np.nan)
