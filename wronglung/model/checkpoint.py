"""A model's directory: `config.json`, `weights.safetensors`, `tokenizer/`, `model-config.yaml` and `CARD.md`.

Both digests in `config.json` are verified at every load, and every tensor must find its place with none left over.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as to_safetensors
from tokenizers import Tokenizer
from torch import Tensor

from wronglung.model.config import (
    AttentionConfig,
    CleaningConfig,
    ImageEncoderConfig,
    ModelConfig,
    NetworkConfig,
    PreprocessConfig,
    TextEncoderConfig,
    parse_config,
)
from wronglung.model.errors import ModelFilesError
from wronglung.model.network import AlignmentNetwork
from wronglung.model.tokenizer import from_vocabulary, load_tokenizer, vocabulary_with_alphabet

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "weights.safetensors"
TOKENIZER_FILE = "tokenizer/tokenizer.json"
SERVING_FILE = "model-config.yaml"
SERVING_SETTINGS = """\
# TorchServe's settings for this model.
minWorkers: 1
maxWorkers: 1
batchSize: 8
maxBatchDelay: 1
responseTimeout: 120
startupTimeout: 300
maxRetryTimeoutInSec: 30
"""

_RANDOM_WORDS = ("clear", "effusion", "heart", "is", "left", "lung", "nodule", "pleural", "right", "the", "there")


class Checkpoint(NamedTuple):
    """A model as read from its directory."""

    config: ModelConfig
    network: AlignmentNetwork
    tokenizer: Tokenizer


def save_checkpoint(
    directory: Path,
    network: AlignmentNetwork,
    tokenizer: Tokenizer,
    *,
    preprocess: PreprocessConfig,
    cleaning: CleaningConfig,
    version: str = "1.0",
) -> ModelConfig:
    """Write a model's files (all but its card) and return the config with the digests. Existing files are replaced."""
    (directory / TOKENIZER_FILE).parent.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    (directory / WEIGHTS_FILE).write_bytes(to_safetensors(tensors))
    tokenizer.save(str(directory / TOKENIZER_FILE))
    config = ModelConfig(
        version=version,
        network=network.config,
        preprocess=preprocess,
        cleaning=cleaning,
        weights_sha256=_digest((directory / WEIGHTS_FILE).read_bytes()),
        tokenizer_sha256=_digest((directory / TOKENIZER_FILE).read_bytes()),
    )
    (directory / CONFIG_FILE).write_text(config.model_dump_json(indent=2) + "\n", encoding="utf-8")
    if not (directory / SERVING_FILE).exists():
        (directory / SERVING_FILE).write_text(SERVING_SETTINGS, encoding="utf-8")
    return config


def load_checkpoint(directory: Path) -> Checkpoint:
    """Read a model's files, in evaluation mode on the CPU.

    Raises:
        ModelFilesError: a file is missing, damaged or does not belong to the others.
    """
    config = parse_config(ModelConfig, _read(directory / CONFIG_FILE).decode("utf-8"), str(directory / CONFIG_FILE))
    weights = _verified(directory / WEIGHTS_FILE, config.weights_sha256, "weights_sha256")
    _verified(directory / TOKENIZER_FILE, config.tokenizer_sha256, "tokenizer_sha256")
    tokenizer = load_tokenizer(directory / TOKENIZER_FILE)
    if tokenizer.get_vocab_size() != config.network.text.vocab_size:
        raise ModelFilesError(
            f"{directory / TOKENIZER_FILE} has {tokenizer.get_vocab_size()} pieces, but {CONFIG_FILE} says"
            f" network.text.vocab_size = {config.network.text.vocab_size}"
        )
    network = AlignmentNetwork(config.network)
    try:
        tensors = load_safetensors(weights)
    except SafetensorError as error:
        raise ModelFilesError(f"{directory / WEIGHTS_FILE} is not a safetensors file: {error}") from error
    fill_network(network, tensors, str(directory / WEIGHTS_FILE))
    return Checkpoint(config, network, tokenizer)


def fill_network(network: AlignmentNetwork, tensors: Mapping[str, Tensor], source: str) -> None:
    """Copy tensors into a network and put it in evaluation mode.

    Raises:
        ModelFilesError: a tensor is missing, left over or of the wrong shape; the message names them.
    """
    wanted = network.state_dict()
    problems = [
        *(f"missing: {name}" for name in sorted(wanted.keys() - tensors.keys())),
        *(f"left over: {name}" for name in sorted(tensors.keys() - wanted.keys())),
        *(
            f"{name} has shape {list(tensors[name].shape)}, the network needs {list(wanted[name].shape)}"
            for name in sorted(wanted.keys() & tensors.keys())
            if tensors[name].shape != wanted[name].shape
        ),
    ]
    if problems:
        shown = "\n".join(f"  {problem}" for problem in problems[:10])
        more = f"\n  … and {len(problems) - 10} more" if len(problems) > 10 else ""
        raise ModelFilesError(f"{source} does not fit the network of its config:\n{shown}{more}")
    network.load_state_dict(dict(tensors))
    network.eval()


def create_random_model(directory: Path, *, opt_out: bool, seed: int = 0) -> ModelConfig:
    """Write a tiny model with random weights and a small vocabulary: for tests and for trying out a server.

    It has a 19 × 19 grid and answers within milliseconds; its maps mean nothing.
    """
    tokenizer = from_vocabulary(vocabulary_with_alphabet(_RANDOM_WORDS))
    image = ImageEncoderConfig(
        input_size=152, embedding_size=4, hidden_sizes=(4, 8, 8), depths=(1, 1, 1), block="basic", local_stage=2
    )
    text = TextEncoderConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=8, layers=3, heads=2, intermediate_size=16, max_positions=97
    )
    attention = AttentionConfig(opt_out=opt_out)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = AlignmentNetwork(NetworkConfig(image=image, text=text, attention=attention))
    return save_checkpoint(
        directory, network, tokenizer, preprocess=PreprocessConfig(), cleaning=CleaningConfig(drop_single_words=False)
    )


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelFilesError(f"cannot read {path}: {error.strerror or error}") from error


def _verified(path: Path, expected: str, key: str) -> bytes:
    data = _read(path)
    if (actual := _digest(data)) != expected:
        raise ModelFilesError(
            f"{path} is not the file that {CONFIG_FILE} was written for: its SHA-256 is {actual}, {key} is {expected}."
            " Fetch the model again, or train or import it anew"
        )
    return data
