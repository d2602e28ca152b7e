"""The model in use: images and sentences in, `Alignment`s out."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from wronglung.alignment import Alignment, FloatArray, ModelIdentity
from wronglung.errors import SentenceEmpty
from wronglung.geometry import Frame
from wronglung.model.bert import TextFeatures, encode_grouped
from wronglung.model.checkpoint import Checkpoint, load_checkpoint
from wronglung.model.image import ImageFeatures
from wronglung.model.preprocess import Pixels, preprocess
from wronglung.model.text import SentenceTokenizer, TokenizedSentence

_CACHED_SENTENCES = 1024


def load_model(
    directory: str | Path,
    device: str = "cpu",
    *,
    name: str | None = None,
    version: str | None = None,
    deterministic: bool | None = None,
) -> "AlignmentModel":
    """Load a model from its directory.

    Args:
        directory: holds `config.json`, `weights.safetensors` and `tokenizer/`.
        device: a PyTorch device, e.g. "cpu" or "cuda:0".
        name: name to answer under; the directory's by default.
        version: version to answer under; the config's by default.
        deterministic: see `AlignmentModel`. By default on the CPU only: a GPU wants batches.

    Raises:
        ModelFilesError: a file is missing, damaged or does not belong to the others.
    """
    directory = Path(directory)
    checkpoint = load_checkpoint(directory)
    identity = ModelIdentity(
        name=directory.resolve().name if name is None else name,
        version=checkpoint.config.version if version is None else version,
        weights_digest=checkpoint.config.weights_sha256,
    )
    where = torch.device(device)
    return AlignmentModel(
        checkpoint, identity, where, deterministic=where.type == "cpu" if deterministic is None else deterministic
    )


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
    features: TextFeatures


class _Match(NamedTuple):
    """One sentence held against one image."""

    map: FloatArray
    word_maps: FloatArray
    opt_out: float
    local_similarity: float
    global_similarity: float


class AlignmentModel:
    """A loaded model. Not thread-safe: one call at a time.

    Args:
        checkpoint: config, network and tokenizer.
        identity: what the answers say of the model.
        device: where to compute.
        deterministic: compute each image and each sentence by itself, on one thread, so that no float depends on what
            else is in the call or on the number of cores. Otherwise all images form one batch, and sentences of equal
            length another.
    """

    def __init__(
        self, checkpoint: Checkpoint, identity: ModelIdentity, device: torch.device, *, deterministic: bool
    ) -> None:
        self._config = checkpoint.config
        self._network = checkpoint.network.to(device).eval()
        self._device = device
        self._identity = identity
        self.deterministic = deterministic
        text = checkpoint.config.network.text
        self._tokenize = SentenceTokenizer(checkpoint.tokenizer, checkpoint.config.cleaning, text.max_word_pieces)
        self._encode_alone = lru_cache(maxsize=_CACHED_SENTENCES)(lambda sentence: self._network.text([sentence])[0])

    @property
    def weights_digest(self) -> str:
        """SHA-256 of the weights file in hex."""
        return self._identity.weights_digest

    @property
    def has_opt_out(self) -> bool:
        """Whether the model can withhold attention."""
        return self._config.network.attention.opt_out

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the maps."""
        side = self._config.network.image.grid_side
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

    @torch.inference_mode()
    def align(
        self, images: Sequence[Pixels], sentences: Sequence[Sequence[str]], word_maps: bool = False
    ) -> list[Alignment]:
        """Compute the attention maps of each image's own sentences.

        Args:
            images: H × W uint8 or uint16 arrays; each is encoded once.
            sentences: one list per image; repeated sentences are encoded once.
            word_maps: also return one map per word.

        Returns:
            One `Alignment` per image. A sentence that cannot be aligned has its error there and NaN values.

        Raises:
            ValueError: the lists differ in length, or an image is not a non-empty grey uint8 or uint16 array.
        """
        if len(images) != len(sentences):
            raise ValueError(f"expected one list of sentences per image, got {len(sentences)} for {len(images)} images")
        prepared = [preprocess(pixels, self._config.preprocess) for pixels in images]
        with _one_thread() if self.deterministic else nullcontext():
            features = self._encode_images([torch.from_numpy(pixels) for pixels, _ in prepared])
            texts = self._encode_sentences(list(dict.fromkeys(s for group in sentences for s in group)))
            return [
                self._align_one(image, frame, [texts[s] for s in group], word_maps)
                for image, (_, frame), group in zip(features, prepared, sentences, strict=True)
            ]

    def _encode_images(self, frames: list[Tensor]) -> list[ImageFeatures]:
        batches = [[frame] for frame in frames] if self.deterministic else [frames] if frames else []
        encoded = [self._network.image(torch.stack(batch).to(self._device)) for batch in batches]
        return [ImageFeatures(*pair) for batch in encoded for pair in zip(*batch, strict=True)]

    def _encode_sentences(self, sentences: list[str]) -> dict[str, _Text | SentenceEmpty]:
        results: dict[str, TokenizedSentence | SentenceEmpty] = {}
        for sentence in sentences:
            try:
                results[sentence] = self._tokenize(sentence)
            except SentenceEmpty as error:
                results[sentence] = error
        distinct = list({t: None for t in results.values() if isinstance(t, TokenizedSentence)})
        if self.deterministic:
            features = [self._encode_alone(t) for t in distinct]
        else:
            features = encode_grouped(self._network.text, distinct)
        encoded = dict(zip(distinct, features, strict=True))
        return {s: t if isinstance(t, SentenceEmpty) else _Text(t, encoded[t]) for s, t in results.items()}

    def _align_one(
        self, image: ImageFeatures, frame: Frame, texts: list[_Text | SentenceEmpty], word_maps: bool
    ) -> Alignment:
        matches = [self._match(text, image) if isinstance(text, _Text) else self._no_match() for text in texts]
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
            word_maps=tuple(m.word_maps for m in matches) if word_maps else None,
            deterministic=self.deterministic,
        )

    def _match(self, text: _Text, image: ImageFeatures) -> _Match:
        attention = self._network.map_words(text.features, image.regions_BND)
        local = self._network.local_similarity(text.features, text.sentence.content_pieces, image.regions_BND)
        word_maps = attention.maps_LN.reshape(-1, *self.grid).cpu().numpy()
        return _Match(
            map=word_maps.mean(0),
            word_maps=word_maps,
            opt_out=float(attention.opt_out_L.mean()),
            local_similarity=float(local),
            global_similarity=float(self._network.global_similarity(text.features.global_D, image.global_BD)),
        )

    def _no_match(self) -> _Match:
        nothing = np.full(self.grid, np.nan, np.float32)
        return _Match(nothing, np.empty((0, *self.grid), np.float32), np.nan, np.nan, np.nan)
