"""Each distinct image and each distinct sentence is encoded once, as long as its embedding is kept."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from wronglung.model.architecture import AnyArchitecture, Embedding
from wronglung.model.bert import encode_grouped
from wronglung.model.cache import CacheFigures, EmbeddingCache
from wronglung.model.compute import ComputeConfig
from wronglung.model.config import PreprocessConfig
from wronglung.model.preprocess import Pixels, preprocess
from wronglung.model.text import TokenizedSentence

_MIB = 2**20


class _Key(NamedTuple):
    """What an embedding depends on; the rest of the config belongs to one `Encoding`, whose caches nobody else has."""

    content: str
    """Digest of the pixels or of the word pieces."""
    weights_digest: str


class Encoding:
    """The encoders of one model with their caches.

    Args:
        network: on its device, in evaluation mode. Its encoders are converted to the precision.
        device: where it is.
        preprocess: the model's options.
        weights_digest: SHA-256 of the weights file.
        compute: precision of the encoders (embeddings are float32) and room for embeddings; whether to encode every
            item by itself, or images, and sentences of equal length, in batches.
    """

    def __init__(
        self,
        network: AnyArchitecture,
        device: torch.device,
        preprocess: PreprocessConfig,
        weights_digest: str,
        compute: ComputeConfig,
    ) -> None:
        self._network = network
        self._device = device
        self._preprocess = preprocess
        self._weights_digest = weights_digest
        self._deterministic = compute.deterministic_on(device.type)
        self._images = EmbeddingCache(compute.image_cache_mib * _MIB)
        self._sentences = EmbeddingCache(compute.sentence_cache_mib * _MIB)
        if compute.precision == "bf16":
            for part in network.encoders():
                part.to(torch.bfloat16)

    def caches(self) -> dict[str, CacheFigures]:
        """The figures of the caches "image" and "sentence"."""
        return {"image": self._images.figures(), "sentence": self._sentences.figures()}

    def clear(self) -> None:
        """Give up what is kept and count from 0 again."""
        self._images.clear()
        self._sentences.clear()

    def images(self, images: Sequence[Pixels]) -> list[Embedding]:
        """The embedding of every image, in the order given."""
        keys = [_Key(_image_digest(pixels), self._weights_digest) for pixels in images]
        found = self._images.resolve(dict(zip(keys, images, strict=True)), self._encode_images)
        return [found[key] for key in keys]

    def sentences(self, sentences: Sequence[TokenizedSentence]) -> dict[TokenizedSentence, Embedding]:
        """The embedding of every sentence; repeated ones are there once."""
        keys = {sentence: _Key(_sentence_digest(sentence), self._weights_digest) for sentence in sentences}
        found = self._sentences.resolve({key: each for each, key in keys.items()}, self._encode_sentences)
        return {sentence: found[key] for sentence, key in keys.items()}

    def _encode_images(self, images: list[Pixels]) -> list[Embedding]:
        frames = [torch.from_numpy(preprocess(pixels, self._preprocess)[0]) for pixels in images]
        batches = [[frame] for frame in frames] if self._deterministic else [frames]
        encoded = (self._network.encode_images(torch.stack(batch).to(self._device)) for batch in batches)
        return [_own(embedding) for batch in encoded for embedding in batch]

    def _encode_sentences(self, sentences: list[TokenizedSentence]) -> list[Embedding]:
        if self._deterministic:
            encoded = [self._network.encode_sentences([sentence])[0] for sentence in sentences]
        else:
            encoded = encode_grouped(self._network.encode_sentences, sentences)
        return [_own(embedding) for embedding in encoded]


def _image_digest(pixels: Pixels) -> str:
    """SHA-256 of an image's shape, type and pixels, in hex."""
    digest = hashlib.sha256(f"{pixels.shape} {pixels.dtype.str} ".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def _sentence_digest(sentence: TokenizedSentence) -> str:
    """SHA-256 of the word pieces, which decide the words, in hex."""
    return hashlib.sha256(repr(sentence.ids).encode()).hexdigest()


def _own(embedding: Embedding) -> Embedding:
    """In float32 and in memory of its own: a part of a batch would keep all of the batch alive. The layout stays."""
    # Every embedding takes this way, kept or not, so that a cache changes no float.
    return type(embedding)(*(tensor.to(torch.float32, copy=True) for tensor in embedding))
