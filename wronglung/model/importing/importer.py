"""A checkpoint from elsewhere → a model's directory, as a whole or not at all."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import torch
from tokenizers import Tokenizer
from torch import Tensor

from wronglung.model.checkpoint import TOKENIZER_FILE, WEIGHTS_FILE, check_fit, write_config
from wronglung.model.config import CleaningConfig, ModelConfig, NetworkConfig
from wronglung.model.errors import ModelFilesError
from wronglung.model.files import new_file, new_folder, write_file
from wronglung.model.importing.card import CARD_FILE, Origin, card
from wronglung.model.importing.inference import Fact, infer
from wronglung.model.importing.options import TrainingOptions, read_options
from wronglung.model.importing.serving import write_serving
from wronglung.model.importing.sources import Source, open_source
from wronglung.model.importing.vocabulary import read_bert_config, read_vocabulary
from wronglung.model.network import AlignmentNetwork
from wronglung.model.published import rename_published, unused_names
from wronglung.model.tensors import StoredTensor, write_safetensors
from wronglung.progress import Progress, silent

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user decides and no file tells."""

    name: str
    version: str = "1.0"
    heads: int | None = None
    """Attention heads of the BERT, where no file tells them."""
    stretch: bool = False
    empty: Literal["error", "encode_markers"] = "error"
    replace: bool = False
    """Replace the model that is there."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    config: ModelConfig
    facts: tuple[Fact, ...]
    left_out: tuple[str, ...]
    """Published names of the tensors that no network needs."""


def import_published(file: Path, tokenizer: str, target: Path, wishes: Wishes, progress: Progress = silent) -> Imported:
    """Import a checkpoint in the published layout.

    Args:
        file: a Lightning checkpoint, a state_dict of `torch.save`, or a safetensors file.
        tokenizer: a folder, or a name in transformers' cache.
        target: the model's directory to be.
        wishes: what the user decides.
        progress: see `Progress`.

    Raises:
        ModelFilesError: anything is missing, damaged, malicious, unsupported or contradictory; `target` is as it was.
    """
    with open_source(file) as source:
        options = read_options(source.options, str(file))
        shapes = {name: tensor.shape for name, tensor in source.tensors.items()}
        inferred = infer(shapes, options, read_bert_config(tokenizer), wishes.heads, str(file))
        inferred = inferred._replace(facts=(*inferred.facts, *_conversions(source.tensors)))
        vocabulary = read_vocabulary(tokenizer, inferred.network.text.vocab_size)
        tensors = _as_ours(source, inferred.network, str(file))
        with new_folder(target, replace=wishes.replace) as folder:
            digest = _write_weights(folder / WEIGHTS_FILE, tensors, progress)
            config = _write_rest(folder, digest, vocabulary, inferred.network, options, wishes)
            origin = Origin(
                file=file.name,
                sha256=_digest(file, progress),
                tokenizer=Path(tokenizer).name,
                named_bert=options.bert,
                numbers=sum(torch.Size(tensor.shape).numel() for tensor in tensors.values()),
                left_out=tuple(unused_names(source.tensors)),
            )
            write_file(folder / CARD_FILE, card(wishes.name, config, inferred, origin).encode())
    return Imported(config, inferred.facts, origin.left_out)


def _as_ours(source: Source, network: NetworkConfig, file: str) -> dict[str, StoredTensor]:
    """The tensors under our names and as our types, after checking that every one has its place."""
    try:
        renamed = rename_published(source.tensors)
    except ModelFilesError as error:
        raise ModelFilesError(f"{file}: {error}") from error
    with torch.device("meta"):
        expected = AlignmentNetwork(network)  # only names, shapes and types: it takes no memory
    check_fit(expected, renamed, file)
    wanted = {name: tensor.dtype for name, tensor in expected.state_dict().items()}
    return {name: _converted(name, tensor, wanted[name], file) for name, tensor in renamed.items()}


def _converted(name: str, tensor: StoredTensor, dtype: torch.dtype, file: str) -> StoredTensor:
    if tensor.dtype.is_floating_point != dtype.is_floating_point:
        raise ModelFilesError(f"{file}: {name} holds {tensor.dtype} numbers, the network needs {dtype}")
    return tensor._replace(dtype=dtype, read=partial(_read_finite, name, tensor, dtype, file))


def _read_finite(name: str, tensor: StoredTensor, dtype: torch.dtype, file: str) -> Tensor:
    numbers = tensor.read().to(dtype)
    if not torch.isfinite(numbers).all():
        raise ModelFilesError(
            f"{file}: {name} holds infinite numbers or NaN: the training went wrong, take another file"
        )
    return numbers


def _conversions(tensors: Mapping[str, StoredTensor]) -> tuple[Fact, ...]:
    others = {str(each.dtype).removeprefix("torch.") for each in tensors.values() if each.dtype.is_floating_point}
    others.discard("float32")
    return (
        (Fact("type of numbers", f"float32, converted from {', '.join(sorted(others))}", "tensors"),) if others else ()
    )


def _write_weights(path: Path, tensors: Mapping[str, StoredTensor], progress: Progress) -> str:
    step = progress("weights", sum(tensor.bytes for tensor in tensors.values()))
    with new_file(path) as file:
        return write_safetensors(file, tensors, step)


def _write_rest(
    folder: Path,
    weights_sha256: str,
    vocabulary: Tokenizer,
    network: NetworkConfig,
    options: TrainingOptions,
    wishes: Wishes,
) -> ModelConfig:
    tokenizer_json = vocabulary.to_str(pretty=True).encode()
    write_file(folder / TOKENIZER_FILE, tokenizer_json)
    write_serving(folder)
    config = ModelConfig(
        version=wishes.version,
        network=network,
        preprocess=options.preprocess.model_copy(update={"stretch": wishes.stretch}),
        cleaning=CleaningConfig(empty=wishes.empty),
        weights_sha256=weights_sha256,
        tokenizer_sha256=hashlib.sha256(tokenizer_json).hexdigest(),
    )
    write_config(folder, config)
    return config


def _digest(path: Path, progress: Progress) -> str:
    step, digest = progress("digest", path.stat().st_size), hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            step(len(block))
    return digest.hexdigest()
