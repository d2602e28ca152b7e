"""A model's directory: `config.json`, `weights.safetensors`, `tokenizer/`, `model-config.yaml` and `CARD.md`.

Both digests in `config.json` are verified at every load, and every tensor must find its place with none left over.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import save as to_safetensors
from tokenizers import Tokenizer
from torch import Tensor

from wronglung.model.architecture import AnyArchitecture
from wronglung.model.config import CleaningConfig, ModelConfig, PreprocessConfig
from wronglung.model.errors import ModelFilesError
from wronglung.model.files import write_file
from wronglung.model.registry import build_network
from wronglung.model.strict import parse_config
from wronglung.model.tensors import StoredTensor, read_safetensors, stored_in_memory
from wronglung.model.tokenizer import load_tokenizer

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


class Checkpoint(NamedTuple):
    """A model as read from its directory."""

    config: ModelConfig
    network: AnyArchitecture
    tokenizer: Tokenizer


def save_checkpoint(
    directory: Path,
    network: AnyArchitecture,
    tokenizer: Tokenizer,
    *,
    preprocess: PreprocessConfig,
    cleaning: CleaningConfig,
    version: str = "1.0",
) -> ModelConfig:
    """Write a model's files (all but its card) and return the config with the digests. Existing files are replaced."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    weights, tokenizer_json = to_safetensors(tensors), tokenizer.to_str(pretty=True).encode()
    write_file(directory / WEIGHTS_FILE, weights)
    write_file(directory / TOKENIZER_FILE, tokenizer_json)
    config = ModelConfig(
        version=version,
        network=network.config,
        preprocess=preprocess,
        cleaning=cleaning,
        weights_sha256=hashlib.sha256(weights).hexdigest(),
        tokenizer_sha256=hashlib.sha256(tokenizer_json).hexdigest(),
    )
    write_config(directory, config)
    if not (directory / SERVING_FILE).exists():
        write_file(directory / SERVING_FILE, SERVING_SETTINGS.encode())
    return config


def write_config(directory: Path, config: ModelConfig) -> None:
    """Write `config.json`."""
    write_file(directory / CONFIG_FILE, (config.model_dump_json(indent=2) + "\n").encode())


def read_config(directory: Path) -> ModelConfig:
    """Read `config.json` and verify both digests, which takes no memory to speak of.

    Raises:
        ModelFilesError: a file is missing, damaged or does not belong to the others.
    """
    source = directory / CONFIG_FILE
    try:
        text = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelFilesError(f"cannot read {source}: {error}") from error
    config = parse_config(ModelConfig, text, str(source))
    _verify(directory / WEIGHTS_FILE, config.weights_sha256, "weights_sha256")
    _verify(directory / TOKENIZER_FILE, config.tokenizer_sha256, "tokenizer_sha256")
    return config


def load_checkpoint(directory: Path) -> Checkpoint:
    """Read a model's files, in evaluation mode on the CPU.

    Raises:
        ModelFilesError: a file is missing, damaged or does not belong to the others.
    """
    config = read_config(directory)
    tokenizer = load_tokenizer(directory / TOKENIZER_FILE)
    if tokenizer.get_vocab_size() != config.network.text.vocab_size:
        raise ModelFilesError(
            f"{directory / TOKENIZER_FILE} has {tokenizer.get_vocab_size()} pieces, but {CONFIG_FILE} says"
            f" network.text.vocab_size = {config.network.text.vocab_size}"
        )
    network = build_network(config.network)
    weights = directory / WEIGHTS_FILE
    fill_from_files(network, read_safetensors(weights), str(weights))
    return Checkpoint(config, network, tokenizer)


def fill_network(network: AnyArchitecture, tensors: Mapping[str, Tensor], source: str) -> None:
    """Copy tensors into a network and put it in evaluation mode.

    Raises:
        ModelFilesError: a tensor is missing, left over or of the wrong shape; the message names them.
    """
    fill_from_files(network, {name: stored_in_memory(tensor) for name, tensor in tensors.items()}, source)


@torch.no_grad()
def fill_from_files(network: AnyArchitecture, tensors: Mapping[str, StoredTensor], source: str) -> None:
    """As `fill_network`, reading one tensor after the other: memory holds the network and one tensor.

    Raises:
        ModelFilesError: a tensor is missing, left over or of the wrong shape; the message names them.
    """
    check_fit(network, tensors, source)
    for name, place in network.state_dict().items():
        place.copy_(tensors[name].read())
    network.eval()


def check_fit(network: AnyArchitecture, tensors: Mapping[str, StoredTensor], source: str) -> None:
    """Raise ModelFilesError unless every tensor has its place and every place its tensor, of the same shape."""
    wanted = network.state_dict()
    problems = [
        *(f"missing: {name}" for name in sorted(wanted.keys() - tensors.keys())),
        *(f"left over: {name}" for name in sorted(tensors.keys() - wanted.keys())),
        *(
            f"{name} has shape {list(tensors[name].shape)}, the network needs {list(wanted[name].shape)}"
            for name in sorted(wanted.keys() & tensors.keys())
            if tensors[name].shape != tuple(wanted[name].shape)
        ),
    ]
    if problems:
        shown = "\n".join(f"  {problem}" for problem in problems[:10])
        more = f"\n  … and {len(problems) - 10} more" if len(problems) > 10 else ""
        raise ModelFilesError(f"{source} does not fit the network of its config:\n{shown}{more}")


def _verify(path: Path, expected: str, key: str) -> None:
    try:
        with path.open("rb") as file:
            actual = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelFilesError(f"cannot read {path}: {error.strerror or error}") from error
    if actual != expected:
        raise ModelFilesError(
            f"{path} is not the file that {CONFIG_FILE} was written for: its SHA-256 is {actual}, {key} is {expected}."
            " Fetch the model again, or train or import it anew"
        )
