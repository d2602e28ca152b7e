"""Writing one archive, block by block: memory holds a block, and the archive is there as a whole or not at all."""

import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from wronglung.model.files import new_file

_BLOCK = 1 << 20


def files_below(directory: Path) -> Iterator[tuple[str, Path]]:
    """The files of a folder by their path in it, links followed; hidden ones, and Python's own, are left out."""
    for folder, folders, names in os.walk(directory, followlinks=True):
        folders[:] = sorted(name for name in folders if not _unwanted(name))
        for name in sorted(name for name in names if not _unwanted(name)):
            path = Path(folder, name)
            yield str(path.relative_to(directory)), path


def _unwanted(name: str) -> bool:
    return name.startswith(".") or name == "__pycache__"


def write_archive(
    target: Path, files: Mapping[str, Path], texts: Mapping[str, str], step: Callable[[int], object]
) -> None:
    """Write a zip archive without compression.

    Args:
        target: the archive; what is there is replaced.
        files: what to put into it, by path in the archive.
        texts: likewise, as text.
        step: told the bytes of each block of `files` once it is written.
    """
    with new_file(target) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, path in files.items():
            _add(archive, name, path, step)
        for name, text in texts.items():
            archive.writestr(name, text)


def _add(archive: zipfile.ZipFile, name: str, path: Path, step: Callable[[int], object]) -> None:
    entry = zipfile.ZipInfo.from_file(path, name, strict_timestamps=False)
    with path.open("rb") as source, archive.open(entry, "w") as place:
        while block := source.read(_BLOCK):
            place.write(block)
            step(len(block))
