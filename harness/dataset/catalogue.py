"""Opens a data set by its configuration."""

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
