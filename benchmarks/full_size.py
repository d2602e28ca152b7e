"""A report of 8 sentences on the full-size architecture (random weights, CPU, float32): ours against the published way.

Published: each sentence has an image pass of its own and is padded to 97 word pieces. Ours: the image is encoded once,
no padding. Nothing is kept between reports. Both use the same weights and, per row, the same number of threads.
"""

import itertools
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from benchmarks.published_procedure import PublishedProcedure
from wronglung.alignment import Alignment, ModelIdentity
from wronglung.model.architecture import Match
from wronglung.model.bert import TextFeatures
from wronglung.model.checkpoint import Checkpoint
from wronglung.model.compute import ComputeConfig
from wronglung.model.config import ModelConfig, NetworkConfig
from wronglung.model.engine import AlignmentModel
from wronglung.model.image import ImageFeatures
from wronglung.model.network import AlignmentNetwork
from wronglung.model.text import SentenceTokenizer, TokenizedSentence
from wronglung.model.tokenizer import from_vocabulary, vocabulary_with_alphabet

REPORT = [
    "There is a small left pleural effusion with adjacent atelectasis.",
    "The heart is mildly enlarged.",
    "No pneumothorax is seen.",
    "Patchy opacity in the right lower lung may represent pneumonia in the appropriate clinical setting.",
    "Mild interstitial edema is unchanged since the prior study.",
    "The left lung is clear.",
    "There is no acute osseous abnormality.",
    "The endotracheal tube ends five centimeters above the carina.",
]
REPEATS = 7
SIDE = 1024
"""Of the square image, in pixels."""


class Row(NamedTuple):
    """One way of computing the report."""

    name: str
    threads: int
    run: Callable[[], object]


class TimedNetwork(AlignmentNetwork):
    """Counts the seconds of its parts."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        self.seconds = dict.fromkeys(("image", "text", "attention"), 0.0)

    def encode_images(self, frames_BHW: Tensor) -> list[ImageFeatures]:
        """As the base."""
        with self._timed("image"):
            return super().encode_images(frames_BHW)

    def encode_sentences(self, sentences: list[TokenizedSentence]) -> list[TextFeatures]:
        """As the base."""
        with self._timed("text"):
            return super().encode_sentences(sentences)

    def match(self, image: ImageFeatures, sentence: TokenizedSentence, text: TextFeatures) -> Match:
        """As the base."""
        with self._timed("attention"):
            return super().match(image, sentence, text)

    @contextmanager
    def _timed(self, part: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[part] += time.perf_counter() - started


def main() -> None:
    """Print seconds per report of each way, their ratios, and where our time goes."""
    checkpoint = random_checkpoint()
    pixels = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
    tokenize = SentenceTokenizer(checkpoint.tokenizer, checkpoint.config.cleaning, 97)
    lengths = [len(tokenize(sentence).ids) for sentence in REPORT]
    ours = {mode: _model(checkpoint, deterministic=mode == "deterministic") for mode in ("deterministic", "throughput")}
    published = _published(checkpoint, tokenize)
    _check_equal(published, ours["deterministic"], pixels)
    cores = len(os.sched_getaffinity(0))
    rows = [
        Row("published", 1, lambda: published.report(pixels, REPORT)),
        Row("ours, deterministic", 1, lambda: ours["deterministic"].align([pixels], [REPORT])),
        Row("published", cores, lambda: published.report(pixels, REPORT)),
        Row("ours, throughput", cores, lambda: ours["throughput"].align([pixels], [REPORT])),
    ]
    print(f"{len(REPORT)} sentences of {min(lengths)} to {max(lengths)} word pieces, medians of {REPEATS}, fp32, CPU")
    network = checkpoint.network
    assert isinstance(network, TimedNetwork)
    _print(rows, network)


def full_size_model(*, deterministic: bool) -> AlignmentModel:
    """The architecture of the full-size GLoRIA with random weights, on the CPU; it keeps nothing."""
    return _model(random_checkpoint(), deterministic=deterministic)


def random_checkpoint() -> Checkpoint:
    """ResNet-50 at 299 pixels and BERT-base of 28,996 pieces, which hold the report's words."""
    words = sorted({word.strip(".").lower() for sentence in REPORT for word in sentence.split()})
    config = NetworkConfig()
    filling = (f"filling{number}" for number in itertools.count())
    vocabulary = [*vocabulary_with_alphabet(words)]
    vocabulary += itertools.islice(filling, config.text.vocab_size - len(vocabulary))
    torch.manual_seed(0)
    network = TimedNetwork(config)
    network.eval()
    model = ModelConfig(network=config, weights_sha256="0" * 64, tokenizer_sha256="0" * 64)
    return Checkpoint(model, network, from_vocabulary(vocabulary))


def _model(checkpoint: Checkpoint, *, deterministic: bool) -> AlignmentModel:
    identity = ModelIdentity("full-size", "1.0", checkpoint.config.weights_sha256)
    # Without room to keep anything: each report is new.
    compute = ComputeConfig(deterministic=deterministic, image_cache_mib=0, sentence_cache_mib=0)
    return AlignmentModel(checkpoint, identity, torch.device("cpu"), compute)


def _published(checkpoint: Checkpoint, tokenize: SentenceTokenizer) -> PublishedProcedure:
    network = checkpoint.network
    assert isinstance(network, AlignmentNetwork)
    return PublishedProcedure(network, checkpoint.config, tokenize, _pieces(checkpoint.tokenizer))


def _pieces(tokenizer: Tokenizer) -> list[str]:
    numbers: dict[str, int] = tokenizer.get_vocab()
    return sorted(numbers, key=lambda piece: numbers[piece])


def _check_equal(published: PublishedProcedure, model: AlignmentModel, pixels: np.ndarray) -> None:
    ours: Alignment = model.align([pixels], [REPORT])[0]
    for index, theirs in enumerate(published.report(pixels, REPORT)):
        np.testing.assert_allclose(ours.maps[index], theirs.map, rtol=0, atol=2e-5)
        np.testing.assert_allclose(ours.local_similarity[index], theirs.local_similarity, rtol=0, atol=1e-4)
        np.testing.assert_allclose(ours.global_similarity[index], theirs.global_similarity, rtol=0, atol=1e-5)


class Timing(NamedTuple):
    """One run of a row."""

    seconds: float
    parts: dict[str, float]
    """Seconds of the network's parts."""


def _print(rows: list[Row], network: TimedNetwork) -> None:
    timings: list[list[Timing]] = [[] for _ in rows]
    for _ in range(REPEATS):  # in turn, so that what else the machine does falls on all of them
        for row, taken in zip(rows, timings, strict=True):
            taken.append(_once(row, network))
    medians = [sorted(taken, key=lambda timing: timing.seconds)[REPEATS // 2] for taken in timings]
    print(f"{'':22}{'threads':>8}{'s per report':>14}{'ratio':>8}   image    text  attention    rest")
    for first in range(0, len(rows), 2):
        theirs, ours = medians[first], medians[first + 1]
        print(f"{rows[first].name:22}{rows[first].threads:8}{theirs.seconds:14.3f}")
        shares = [seconds / ours.seconds for seconds in ours.parts.values()]
        image, text, attention, rest = (f"{share:.0%}" for share in (*shares, 1 - sum(shares)))
        ratio = theirs.seconds / ours.seconds
        print(
            f"{rows[first + 1].name:22}{rows[first + 1].threads:8}{ours.seconds:14.3f}{ratio:7.1f}×"
            f"{image:>8}{text:>8}{attention:>11}{rest:>8}"
        )


def _once(row: Row, network: TimedNetwork) -> Timing:
    torch.set_num_threads(row.threads)
    network.seconds = dict.fromkeys(network.seconds, 0.0)
    started = time.perf_counter()
    row.run()
    return Timing(time.perf_counter() - started, dict(network.seconds))


if __name__ == "__main__":
    main()
