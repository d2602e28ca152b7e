"""A model's directory from elsewhere, e.g. `best/` of a training run: checked as at every load, then copied."""

from pathlib import Path

from wronglung.model.checkpoint import (
    SERVING_FILE,
    TOKENIZER_FILE,
    WEIGHTS_FILE,
    load_checkpoint,
    write_config,
)
from wronglung.model.config import ModelConfig
from wronglung.model.errors import ModelFilesError
from wronglung.model.files import make_folder, new_file, new_folder
from wronglung.model.importing.card import CARD_FILE
from wronglung.model.importing.serving import write_serving
from wronglung.progress import Progress, silent

_BLOCK = 1 << 20


def import_own(
    source: Path, target: Path, *, version: str | None, replace: bool, progress: Progress = silent
) -> ModelConfig:
    """Copy a model's directory.

    Args:
        source: holds `config.json`, `weights.safetensors` and `tokenizer/`.
        target: the model's directory to be.
        version: a new version, or None to keep the source's.
        replace: replace the model that is there.
        progress: see `Progress`.

    Raises:
        ModelFilesError: a file is missing, damaged or does not belong to the others; `target` is as it was.
    """
    if source.resolve() == target.resolve():
        raise ModelFilesError(f"{source} is where the model shall go: choose another name")
    config = load_checkpoint(source).config
    if version is not None:
        config = config.model_copy(update={"version": version})
    with new_folder(target, replace=replace) as folder:
        for name in (WEIGHTS_FILE, TOKENIZER_FILE, SERVING_FILE, CARD_FILE):
            _copy(source / name, folder / name, progress)
        if not (folder / SERVING_FILE).exists():
            write_serving(folder)
        write_config(folder, config)
    return config


def _copy(source: Path, target: Path, progress: Progress) -> None:
    """Copy a file that exists; which must was checked before."""
    if not source.is_file():
        return
    make_folder(target.parent)
    step = progress(source.name, source.stat().st_size)
    with source.open("rb") as old, new_file(target) as new:
        while block := old.read(_BLOCK):
            new.write(block)
            step(len(block))
