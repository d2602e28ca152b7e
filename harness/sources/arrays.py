"""Files of numpy, read without trust: nothing is unpickled, and sizes are known before anything is read."""

import functools
import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from harness.settings import ConfigError
from harness.sources.checks import MOST_CELLS, UnusableMap

MEMBER = "maps.npy"


def read_npy(path: Path) -> npt.NDArray[np.generic]:
    """One array.

    Raises:
        UnusableMap: there is no such file, it is no array of numbers, it is shorter than it says, or too large.
    """
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise UnusableMap("MAP_MISSING", f"{path}: there is no such file") from error
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        raise UnusableMap("MAP_UNREADABLE", f"{path} is no array of numbers that is whole: {error}") from error
    if not isinstance(found, np.ndarray):
        found.close()
        raise UnusableMap("MAP_UNREADABLE", f"{path} is an archive: save each map on its own, with np.save")
    if found.size > MOST_CELLS:
        raise UnusableMap("MAP_INVALID", f"{path} has {found.size} values, at most {MOST_CELLS} are read")
    return np.array(found)


class ArrayFiles:
    """The arrays `maps` (rows, R, C) of several .npz files as one; a few are kept unpacked in temporary files, so that
    memory does not grow with them."""

    def __init__(self, paths: list[Path]) -> None:
        """Read the headers.

        Raises:
            ConfigError: a file holds no array `maps` of float32 (rows, R, C), or is damaged.
        """
        self._paths = paths
        self._shapes = [read_header(path) for path in paths]
        self._ends = np.cumsum([shape[0] for shape in self._shapes])
        self._unpacked = functools.lru_cache(maxsize=4)(self._unpack)

    def __len__(self) -> int:
        """Rows in all."""
        return int(self._ends[-1]) if len(self._ends) else 0

    def row(self, number: int) -> npt.NDArray[np.float32]:
        """(R, C) of one row.

        Raises:
            UnusableMap: its file is damaged.
        """
        file = self._file_of(number)
        start = int(self._ends[file]) - self._shapes[file][0]
        return np.array(self._unpacked(file)[number - start])

    def grid(self, number: int) -> tuple[int, int]:
        """(R, C) of one row's array, which is not read for it."""
        _, rows, cols = self._shapes[self._file_of(number)]
        return rows, cols

    def _file_of(self, number: int) -> int:
        return int(np.searchsorted(self._ends, number, side="right"))

    def _unpack(self, file: int) -> npt.NDArray[np.float32]:
        path, shape = self._paths[file], self._shapes[file]
        try:
            with zipfile.ZipFile(path) as archive, archive.open(MEMBER) as member:
                _header(member)
                with tempfile.TemporaryFile() as spooled:
                    shutil.copyfileobj(member, spooled)
                    spooled.flush()
                    return np.memmap(spooled, dtype="<f4", mode="r", shape=shape)
        except (OSError, zipfile.BadZipFile, zlib.error, ValueError, EOFError) as error:
            raise UnusableMap("MAP_UNREADABLE", f"{path} is damaged: {error}") from error


def read_header(path: Path) -> tuple[int, int, int]:
    """The shape of the array `maps` of an .npz file.

    Raises:
        ConfigError: it has none of float32 (rows, R, C) with as many bytes as that takes.
    """
    try:
        with zipfile.ZipFile(path) as archive, archive.open(MEMBER) as member:
            shape, dtype, fortran = _header(member)
            held = archive.getinfo(MEMBER).file_size - member.tell()
    except (OSError, KeyError, zipfile.BadZipFile, zlib.error, ValueError, EOFError) as error:
        raise ConfigError(f"{path} holds no array {MEMBER.removesuffix('.npy')!r} that can be read: {error}") from error
    if dtype != np.dtype("<f4") or fortran or len(shape) != 3 or not 0 < shape[1] * shape[2] <= MOST_CELLS:
        raise ConfigError(f"{path}: maps are float32 (rows, R, C) in C order, got {dtype} {shape}")
    if held != 4 * shape[0] * shape[1] * shape[2]:
        raise ConfigError(f"{path}: an array of shape {shape} takes other than the {held} bytes that are there")
    return shape[0], shape[1], shape[2]


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[np.generic], bool]:
    version = np.lib.format.read_magic(member)
    if version != (1, 0):
        raise ValueError(f"version {version} of the format is not read: save with np.savez")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(member)
    return shape, dtype, fortran
