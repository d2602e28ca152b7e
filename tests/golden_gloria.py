"""Rebuilds the inputs and weights of the golden GLoRIA values from their published recipe."""

import json
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from tests.shared import shared_path
from wronglung.alignment import ModelIdentity
from wronglung.model.checkpoint import Checkpoint, fill_network
from wronglung.model.config import CleaningConfig, ModelConfig, NetworkConfig
from wronglung.model.engine import AlignmentModel
from wronglung.model.network import AlignmentNetwork
from wronglung.model.parts_config import AttentionConfig, TextEncoderConfig
from wronglung.model.published import rename_published
from wronglung.model.text import SentenceTokenizer
from wronglung.model.tokenizer import from_vocabulary


@dataclass(frozen=True)
class GoldenCase:
    """One published variant: its model and the values that its code gave."""

    checkpoint: Checkpoint
    values: dict[str, npt.NDArray[np.generic]]
    images: list[npt.NDArray[np.uint8]]
    sentences: list[str]

    @property
    def model(self) -> AlignmentModel:
        return AlignmentModel(self.checkpoint, ModelIdentity("golden", "", ""), torch.device("cpu"))

    @property
    def tokenize(self) -> SentenceTokenizer:
        return SentenceTokenizer(self.checkpoint.tokenizer, CleaningConfig(), 97)


@cache
def golden_case(variant: str) -> GoldenCase:
    """The case of "encoder" or "optout"."""
    folder = shared_path("golden")
    cases = json.loads((folder / "gloria_cases.json").read_text())
    with np.load(folder / f"gloria_{variant}.npz") as file:
        values = dict(file)
    return GoldenCase(
        checkpoint=_checkpoint(folder, variant),
        values=values,
        images=[golden_image(i["seed"], i["height"], i["width"]) for i in cases["images"]],
        sentences=cases["sentences"],
    )


def published_tensors(variant: str) -> dict[str, torch.Tensor]:
    """The weights of "encoder" or "optout" under their published names, without prefix."""
    cases = json.loads((shared_path("golden") / "gloria_cases.json").read_text())
    shapes = cases["state_dict_shapes"][variant]
    return {name: _tensor(name, shape, cases["weight_seed"]) for name, shape in shapes.items()}


def _checkpoint(folder: Path, variant: str) -> Checkpoint:
    vocabulary = (folder / "bert_tokenizer" / "vocab.txt").read_text().split()
    text = TextEncoderConfig(
        vocab_size=len(vocabulary), hidden_size=96, layers=5, heads=4, intermediate_size=192, max_positions=128
    )
    network = AlignmentNetwork(NetworkConfig(text=text, attention=AttentionConfig(opt_out=variant == "optout")))
    fill_network(network, rename_published(published_tensors(variant)), "the golden recipe")
    config = ModelConfig(network=network.config, weights_sha256="0" * 64, tokenizer_sha256="0" * 64)
    return Checkpoint(config, network, from_vocabulary(vocabulary))


def _tensor(name: str, shape: list[int], seed: int) -> torch.Tensor:
    if name.endswith("num_batches_tracked"):
        return torch.zeros(shape, dtype=torch.int64)
    x = np.random.default_rng([seed, zlib.crc32(name.encode())]).standard_normal(shape).astype(np.float32)
    if name.endswith("running_var"):
        x = 1 + 0.1 * np.abs(x)
    elif name.endswith("running_mean"):
        x = 0.05 * x
    elif len(shape) == 4:
        x = x * np.sqrt(2 / np.prod(shape[1:]))
    elif len(shape) == 2:
        x = x / np.sqrt(shape[1])
    elif len(shape) == 1 and name.endswith("weight"):
        x = 1 + 0.05 * x
    elif not name.endswith("no_attn_vec"):
        x = 0.02 * x
    return torch.from_numpy(np.asarray(x, np.float32))


def golden_image(seed: int, height: int, width: int) -> npt.NDArray[np.uint8]:
    """A smooth random field with a brighter rectangle."""
    field = np.random.default_rng(seed).random((12, 10)).astype(np.float32)
    rows, cols = np.linspace(0, 11, height), np.linspace(0, 9, width)
    along_rows = np.stack([np.interp(rows, np.arange(12), field[:, c]) for c in range(10)], axis=1)
    stretched = np.stack([np.interp(cols, np.arange(10), line) for line in along_rows])
    stretched[height // 3 : height // 3 + height // 8, width // 4 : width // 4 + width // 6] += 0.4
    return np.clip(stretched * 180, 0, 255).astype(np.uint8)
