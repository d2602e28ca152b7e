"""Opens a data set by its configuration."""

from pathlib import Path
from typing import get_args

from harness.dataset.base import Dataset
from harness.dataset.jsonl import open_jsonl
from harness.dataset.phantom import PhantomDataset
from harness.dataset.real_cxr import open_real_cxr
from harness.runconfig import ConfigError, JsonlConfig, PhantomConfig, RealCxrConfig


def open_dataset(config: PhantomConfig | JsonlConfig | RealCxrConfig) -> Dataset:
    """Open and check a data set.

    Raises:
        ConfigError: there is nothing at its path, or nothing in it.
    """
    try:
        dataset = _open(config)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise ConfigError(str(error)) from error
    if not len(dataset):
        raise ConfigError(f"data set {dataset.name} holds no usable image: harness validate says why")
    return dataset


def _open(config: PhantomConfig | JsonlConfig | RealCxrConfig) -> Dataset:
    match config:
        case PhantomConfig():
            return PhantomDataset(seed=config.seed, split=config.split, patients=config.patients)
        case JsonlConfig():
            return open_jsonl(config.path, inclusive_maxima=config.inclusive_maxima)
        case RealCxrConfig():
            return open_real_cxr(config.root)


def parse_dataset(text: str) -> PhantomConfig | JsonlConfig | RealCxrConfig:
    """A data set named on the command line: ``phantom:test``, ``real_cxr`` or the path of a JSONL file.

    Raises:
        ConfigError: the phantom's split is unknown.
    """
    if text == "real_cxr":
        return RealCxrConfig(kind="real_cxr")
    kind, colon, split = text.partition(":")
    if kind != "phantom":
        return JsonlConfig(kind="jsonl", path=Path(text))
    known = get_args(PhantomConfig.model_fields["split"].annotation)
    if colon and split not in known:
        raise ConfigError(f"unknown phantom split {split!r}: choose from {', '.join(known)}")
    return PhantomConfig.model_validate({"kind": "phantom", "split": split or "test"})
