"""Files of a model are whole or absent, and readable by whoever serves them, whatever the writer's umask."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from wronglung.model.errors import ModelFilesError

_FILE_MODE, _FOLDER_MODE = 0o644, 0o755
_MARK = "config.json"
"""The file that makes a folder a model's; it is written last."""


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of `path` once the block ended well; otherwise `path` stays as it was."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            yield file
            file.flush()
            os.fchmod(file.fileno(), _FILE_MODE)
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


def write_file(path: Path, data: bytes) -> None:
    """Write a whole file; its folder is created."""
    make_folder(path.parent)
    with new_file(path) as file:
        file.write(data)


def make_folder(path: Path) -> None:
    """Create a folder, and those above it, unless it exists."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        path.chmod(_FOLDER_MODE)


@contextmanager
def new_folder(target: Path, *, replace: bool) -> Iterator[Path]:
    """A folder that becomes `target` once the block ended well; otherwise nothing of it remains.

    Args:
        target: where it shall be; the folders above are created.
        replace: whether a model that is already there may be replaced.

    Raises:
        ModelFilesError: there is something that must not be replaced.
    """
    _check_free(target, replace)
    make_folder(target.parent)
    staging = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        yield staging
        staging.chmod(_FOLDER_MODE)
        _check_free(target, replace)
        _move(staging, target)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def _check_free(target: Path, replace: bool) -> None:
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    if not (target / _MARK).is_file():
        raise ModelFilesError(f"{target} exists and is no model's folder: choose another place, or remove it")
    if not replace:
        raise ModelFilesError(f"{target} holds a model already: choose another name, or replace it with --force")


def _move(staging: Path, target: Path) -> None:
    """Put a finished folder in its place; what was there goes only once it can."""
    old = staging.with_name(staging.name + ".old")
    if target.exists():
        target.rename(old)
    staging.rename(target)
    shutil.rmtree(old, ignore_errors=True)
