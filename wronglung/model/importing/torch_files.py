"""What `torch.save` writes, read without `torch.load`: the zip archive of today and the single stream of before 1.6.

Both hold a pickle of the objects, in which a tensor is a call that names a storage, and the storages' bytes.
"""

import io
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from wronglung.model.errors import ModelFilesError
from wronglung.model.importing.pickles import read_pickle
from wronglung.model.importing.records import Reference
from wronglung.model.importing.storages import Storage, storages_in

_PICKLE_LIMIT = 64 << 20
_BLOCK = 1 << 20
_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


class Storages(Protocol):
    """The bytes behind the tensors of one file."""

    def size(self, storage: Storage) -> int:
        """Bytes of a storage; ModelFilesError if there is none of that key."""

    def read(self, storage: Storage) -> bytearray:
        """All bytes of a storage."""


@dataclass(frozen=True)
class TorchFile:
    """An open file of `torch.save`."""

    content: Any
    """What was saved, as data (see `pickles`)."""
    storages: Storages


@contextmanager
def open_torch_file(path: Path) -> Iterator[TorchFile]:
    """Open a file of `torch.save`; nothing of it is executed.

    Raises:
        ModelFilesError: it is none, is damaged, or names something that would run code.
    """
    with path.open("rb") as file:
        if _starts_with(file, b"PK"):
            with _open_archive(path) as archive:
                yield _read_archive(archive, path)
        elif _starts_with(file, b"\x80"):
            yield _read_stream(file, path)
        else:
            raise ModelFilesError(
                f"{path} is no file of torch.save: give a .ckpt, .pt, .pth or .safetensors file. If it is one, it is"
                " damaged: fetch it again"
            )


def _starts_with(file: IO[bytes], start: bytes) -> bool:
    file.seek(0)
    return file.read(len(start)) == start


# The zip archive


@contextmanager
def _open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, struct.error, ValueError, OSError) as error:
        raise ModelFilesError(f"{path} is damaged or cut off ({error}): fetch it again") from error
    with archive:
        yield archive


def _read_archive(archive: zipfile.ZipFile, path: Path) -> TorchFile:
    pickles = [name for name in archive.namelist() if name == "data.pkl" or name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise ModelFilesError(f"{path} is a zip archive, but not one of torch.save: it has {len(pickles)} data.pkl")
    prefix = pickles[0].removesuffix("data.pkl")
    storages = _ArchiveStorages(archive, prefix, str(path))
    if f"{prefix}constants.pkl" in archive.namelist():
        raise ModelFilesError(f"{path} is a TorchScript program, no checkpoint: save the module's state_dict() instead")
    if f"{prefix}byteorder" in archive.namelist() and storages.entry("byteorder", 16) != b"little":
        raise ModelFilesError(f"{path} was written on a big-endian machine: save it again on a little-endian one")
    content = read_pickle(io.BytesIO(storages.entry("data.pkl", _PICKLE_LIMIT)), str(path))
    return TorchFile(content, storages)


class _ArchiveStorages:
    """Storages as entries of a zip archive; their checksums are verified."""

    def __init__(self, archive: zipfile.ZipFile, prefix: str, source: str) -> None:
        self._archive = archive
        self._prefix = prefix
        self._source = source

    def size(self, storage: Storage) -> int:
        return self._info(f"data/{storage.key}").file_size

    def read(self, storage: Storage) -> bytearray:
        return self.entry(f"data/{storage.key}", limit=self.size(storage))

    def entry(self, name: str, limit: int) -> bytearray:
        """All bytes of an entry."""
        info = self._info(name)
        if info.file_size > limit:
            raise ModelFilesError(
                f"{self._source}: {name} has {info.file_size:,} bytes, more than the {limit:,} allowed"
            )
        data = bytearray()
        try:
            with self._archive.open(info) as file:
                while block := file.read(_BLOCK):
                    data += block
        except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, NotImplementedError, ValueError) as error:
            raise ModelFilesError(f"{self._source} is damaged at {name} ({error}): fetch it again") from error
        return data

    def _info(self, name: str) -> zipfile.ZipInfo:
        try:
            info = self._archive.getinfo(self._prefix + name)
        except KeyError as error:
            raise ModelFilesError(f"{self._source} is damaged: it lacks {name}") from error
        # torch.save never compresses: a compressed entry comes from elsewhere and may unfold to any size.
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
            raise ModelFilesError(f"{self._source}: {name} is compressed, which torch.save never does: save it again")
        return info


# The single stream of before torch 1.6


def _read_stream(file: IO[bytes], path: Path) -> TorchFile:
    file.seek(0)
    head = io.BytesIO(file.read(_PICKLE_LIMIT))
    if read_pickle(head, str(path)) != _MAGIC or read_pickle(head, str(path)) != _PROTOCOL:
        raise ModelFilesError(f"{path} is a pickle, but none of torch.save: save the state_dict with torch.save")
    system = read_pickle(head, str(path))
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise ModelFilesError(f"{path} was written on a big-endian machine: save it again on a little-endian one")
    references: list[Reference] = []
    content = read_pickle(head, str(path), references)
    keys = read_pickle(head, str(path))
    storages = _StreamStorages(file, str(path), storages_in(references, str(path)))
    storages.find(keys, start=head.tell())
    return TorchFile(content, storages)


class _StreamStorages:
    """Storages one behind the other, each behind the number of its elements."""

    def __init__(self, file: IO[bytes], source: str, storages: dict[str, Storage]) -> None:
        self._file = file
        self._source = source
        self._storages = storages
        self._places: dict[str, tuple[int, int]] = {}

    def find(self, keys: Any, start: int) -> None:
        """Note where each storage begins and how many bytes it has; `keys` is their order in the file."""
        end = self._file.seek(0, io.SEEK_END)
        place = start
        for key in keys if isinstance(keys, list) else []:
            self._file.seek(place)
            count = int.from_bytes(self._file.read(8), "little")
            if key not in self._storages or place + 8 + count * self._storages[key].dtype.itemsize > end:
                raise ModelFilesError(f"{self._source} is damaged or cut off at storage {key}: fetch it again")
            size = count * self._storages[key].dtype.itemsize
            self._places[key] = place + 8, size
            place += 8 + size

    def size(self, storage: Storage) -> int:
        return self._place(storage)[1]

    def read(self, storage: Storage) -> bytearray:
        start, size = self._place(storage)
        data = bytearray(size)
        self._file.seek(start)
        if self._file.readinto(data) != size:  # type: ignore[attr-defined]
            raise ModelFilesError(f"{self._source} became shorter while it was read")
        return data

    def _place(self, storage: Storage) -> tuple[int, int]:
        try:
            return self._places[storage.key]
        except KeyError as error:
            raise ModelFilesError(f"{self._source} is damaged: it lacks the storage {storage.key}") from error
