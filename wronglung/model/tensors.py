"""Tensors in files, read and written one at a time, so that memory holds one of them and not a whole model.

The written format is safetensors: eight bytes of length, a JSON header, then the tensors end to end.
"""

import hashlib
import json
import struct
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from wronglung.model.errors import ModelFilesError

_DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}


class StoredTensor(NamedTuple):
    """A tensor that is still in its file."""

    dtype: torch.dtype
    shape: tuple[int, ...]
    read: Callable[[], Tensor]
    """Read it: a contiguous tensor of that type and shape in memory of its own."""

    @property
    def bytes(self) -> int:
        """Size in bytes."""
        return torch.Size(self.shape).numel() * self.dtype.itemsize


def stored_in_memory(tensor: Tensor) -> StoredTensor:
    """A tensor that is in memory already, for callers that have both kinds."""
    return StoredTensor(tensor.dtype, tuple(tensor.shape), tensor.contiguous)


def read_safetensors(path: Path) -> dict[str, StoredTensor]:
    """The tensors of a safetensors file by name; nothing but its header is read yet.

    Raises:
        ModelFilesError: it cannot be read, is no such file, is cut off, or holds a type of number that no model has.
    """
    try:
        with safe_open(path, framework="pt"):
            pass  # checks the whole header: names, types, and that the tensors fill the file without gap or overlap
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length))
    except SafetensorError as error:
        raise ModelFilesError(f"{path} is not a safetensors file, or is cut off: {error}") from error
    except OSError as error:
        raise ModelFilesError(f"cannot read {path}: {error.strerror or error}") from error
    entries = ((name, entry) for name, entry in header.items() if name != "__metadata__")
    return {name: _stored(path, name, entry, start=8 + length) for name, entry in entries}


def _stored(path: Path, name: str, entry: Mapping[str, object], start: int) -> StoredTensor:
    dtype = _DTYPES.get(str(entry["dtype"]))
    if dtype is None:
        raise ModelFilesError(f"{path}: {name} holds {entry['dtype']} numbers, which no model here has")
    shape, offsets = entry["shape"], entry["data_offsets"]
    assert isinstance(shape, list)
    assert isinstance(offsets, list)
    read = partial(_read_at, path, start + offsets[0], dtype, tuple(shape))
    return StoredTensor(dtype, tuple(shape), read)


def _read_at(path: Path, offset: int, dtype: torch.dtype, shape: tuple[int, ...]) -> Tensor:
    buffer = bytearray(torch.Size(shape).numel() * dtype.itemsize)
    with path.open("rb") as file:
        file.seek(offset)
        if file.readinto(buffer) != len(buffer):
            raise ModelFilesError(f"{path} became shorter while it was read")
    return from_bytes(buffer, dtype).reshape(shape)


def from_bytes(buffer: bytearray, dtype: torch.dtype) -> Tensor:
    """The numbers in a buffer, without a copy."""
    return torch.frombuffer(buffer, dtype=dtype) if buffer else torch.empty(0, dtype=dtype)


def write_safetensors(
    file: IO[bytes], tensors: Mapping[str, StoredTensor], progress: Callable[[int], object] = lambda _: None
) -> str:
    """Write tensors as a safetensors file, one after the other.

    Args:
        file: open for writing, empty.
        tensors: by name.
        progress: told the bytes of each tensor once it is written.

    Returns:
        The SHA-256 of what was written, in hex.
    """
    # Wide numbers first: then every tensor lies at a multiple of its numbers' size.
    order = sorted(tensors, key=lambda name: (-tensors[name].dtype.itemsize, name))
    digest = hashlib.sha256()
    header = _header(tensors, order)
    file.write(header)
    digest.update(header)
    for name in order:
        data = tensors[name].read().reshape(-1).view(torch.uint8).numpy().data
        file.write(data)
        digest.update(data)
        progress(len(data))
    return digest.hexdigest()


def _header(tensors: Mapping[str, StoredTensor], order: Iterable[str]) -> bytes:
    entries, offset = {}, 0
    for name in order:
        tensor = tensors[name]
        end = offset + tensor.bytes
        entries[name] = {"dtype": _NAMES[tensor.dtype], "shape": tensor.shape, "data_offsets": (offset, end)}
        offset = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text
