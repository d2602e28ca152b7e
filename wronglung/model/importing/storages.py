"""Tensors as `torch.save` describes them: which part of which storage, read as which numbers."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch

from wronglung.model.errors import ModelFilesError
from wronglung.model.importing.allowed import STORAGES
from wronglung.model.importing.records import Call, Name, Reference


class Storage(NamedTuple):
    """A run of numbers of one type, known by its key."""

    key: str
    dtype: torch.dtype


class View(NamedTuple):
    """A tensor's part of its storage; counted in numbers, not bytes."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def end(self) -> int:
        """One past the last number that the tensor reaches."""
        if 0 in self.shape:
            return self.offset
        return self.offset + 1 + sum((n - 1) * step for n, step in zip(self.shape, self.strides, strict=True))


_REBUILD = {"torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2"}
_PARAMETER = "torch._utils._rebuild_parameter"


def is_tensor(value: Any) -> bool:
    """Whether a value of a pickle would have been a tensor."""
    return isinstance(value, Call) and value.name in {*_REBUILD, _PARAMETER}


def view_of(value: Any, source: str) -> View:
    """The tensor that a pickle describes.

    Raises:
        ModelFilesError: it describes none that can be.
    """
    if isinstance(value, Call) and value.name == _PARAMETER and value.arguments:
        value = value.arguments[0]
    if not isinstance(value, Call) or value.name not in _REBUILD or len(value.arguments) < 4:
        raise ModelFilesError(f"{source} describes something as a tensor that is none: save it again with torch.save")
    reference, offset, shape, strides = value.arguments[:4]
    view = View(storage_of(reference, source), offset, _sizes(shape), _sizes(strides))
    if not _is_sound(view):
        raise ModelFilesError(f"{source} is damaged: a tensor in storage {view.storage.key} has an impossible shape")
    return view


def storage_of(reference: Any, source: str) -> Storage:
    """The storage that a reference names.

    Raises:
        ModelFilesError: it names none, or one whose type of number no model here has.
    """
    identity = reference.id if isinstance(reference, Reference) else None
    if not isinstance(identity, tuple) or len(identity) < 5 or identity[0] != "storage":
        raise ModelFilesError(f"{source} is damaged: a tensor names no storage")
    kind, key = identity[1:3]
    name = kind.path.removeprefix("torch.") if isinstance(kind, Name) else str(kind)
    if name not in STORAGES or not isinstance(key, str):
        raise ModelFilesError(f"{source} holds tensors of {name}, which no model here has: save them as float32")
    return Storage(key, getattr(torch, STORAGES[name]))


def storages_in(references: Iterable[Reference], source: str) -> dict[str, Storage]:
    """The storages that references name, by key."""
    return {storage.key: storage for storage in (storage_of(reference, source) for reference in references)}


def _sizes(value: Any) -> tuple[int, ...]:
    if isinstance(value, Call) and value.name == "torch.Size" and value.arguments:
        value = value.arguments[0]
    return tuple(value) if isinstance(value, tuple | list) else (-1,)


def _is_sound(view: View) -> bool:
    numbers = (view.offset, *view.shape, *view.strides)
    return len(view.shape) == len(view.strides) and all(type(n) is int and n >= 0 for n in numbers)
