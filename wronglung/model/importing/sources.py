"""Any file with weights → its tensors by published name, and the options of the training if it has them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from wronglung.model.errors import ModelFilesError
from wronglung.model.importing.plain import plain_options
from wronglung.model.importing.storages import View, is_tensor, view_of
from wronglung.model.importing.torch_files import Storages, TorchFile, open_torch_file
from wronglung.model.tensors import StoredTensor, from_bytes, read_safetensors

_LONGEST_NAME = 200
_PREFIX = "gloria."
"""The Lightning module's name for the model inside it."""


class Source(NamedTuple):
    """What a file holds."""

    tensors: dict[str, StoredTensor]
    """By published name, without the prefix "gloria."."""
    options: dict[str, Any] | None
    """The training's options ("hyper_parameters") as plain nested dictionaries; None if the file has none."""


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open a Lightning checkpoint, a state_dict of `torch.save`, or a safetensors file.

    The tensors can be read until the block ends.

    Raises:
        ModelFilesError: the file is missing, damaged, of another kind, or would run code if it were unpickled.
    """
    if not path.is_file():
        raise ModelFilesError(f"there is no file {path}")
    if path.suffix == ".safetensors":
        yield _checked(Source(_without_prefix(read_safetensors(path), str(path)), None), path)
    else:
        with open_torch_file(path) as file:
            yield _checked(_from_torch(file, str(path)), path)


def _checked(source: Source, path: Path) -> Source:
    """Tensors may share their numbers; but no model's do so much that they claim more than the file has."""
    claimed, size = sum(tensor.bytes for tensor in source.tensors.values()), path.stat().st_size
    if claimed > size:
        raise ModelFilesError(f"{path} has {size:,} bytes, but its tensors claim {claimed:,}: save it again")
    return source


def _from_torch(file: TorchFile, source: str) -> Source:
    content = file.content
    if not isinstance(content, dict):
        raise ModelFilesError(f"{source} holds a {type(content).__name__}, no checkpoint and no state_dict")
    described = content.get("state_dict", content)
    if not isinstance(described, dict) or not any(map(is_tensor, described.values())):
        raise ModelFilesError(
            f"{source} holds neither a Lightning checkpoint (with 'state_dict') nor a state_dict of tensors;"
            f" it has the keys {', '.join(map(str, list(content)[:10]))}"
        )
    tensors = {_name(name, source): _stored(value, file.storages, source) for name, value in described.items()}
    options = content.get("hyper_parameters") if described is not content else None
    return Source(_without_prefix(tensors, source), None if options is None else plain_options(options, source))


def _name(name: Any, source: str) -> str:
    if not isinstance(name, str):
        raise ModelFilesError(f"{source} has a tensor whose name is no text but a {type(name).__name__}")
    return name


def _without_prefix(tensors: Mapping[str, StoredTensor], source: str) -> dict[str, StoredTensor]:
    for name in tensors:
        if not name.isprintable() or len(name) > _LONGEST_NAME:
            raise ModelFilesError(f"{source} has a tensor whose name is no name: {name[:_LONGEST_NAME]!r}")
    stripped = {name.removeprefix(_PREFIX): tensor for name, tensor in tensors.items()}
    if len(stripped) != len(tensors):
        raise ModelFilesError(f"{source} has tensors of the same name with and without the prefix {_PREFIX!r}")
    return stripped


def _stored(value: Any, storages: Storages, source: str) -> StoredTensor:
    view = view_of(value, source)
    available = storages.size(view.storage) // view.storage.dtype.itemsize
    if view.end > available or torch.Size(view.shape).numel() > available:
        raise ModelFilesError(f"{source} is damaged: a tensor reaches beyond the end of storage {view.storage.key}")
    return StoredTensor(view.storage.dtype, view.shape, partial(_read, view, storages))


def _read(view: View, storages: Storages) -> Tensor:
    numbers = from_bytes(storages.read(view.storage), view.storage.dtype)
    return numbers.as_strided(view.shape, view.strides, view.offset).contiguous()
