"""Every kind of data set: how it is opened, and how it is named on a command line."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml
from pydantic import ValidationError

from harness.dataset.base import Dataset, DatasetError
from harness.dataset.checks import read_patients
from harness.dataset.chest_imagenome.gold import open_gold
from harness.dataset.chest_imagenome.silver import SilverDataset
from harness.dataset.chexlocalize import open_chexlocalize
from harness.dataset.coco import open_coco
from harness.dataset.config import (
    AnyDatasetConfig,
    ChestImagenomeGoldConfig,
    ChestImagenomeSilverConfig,
    ChexlocalizeConfig,
    CocoConfig,
    JsonlConfig,
    MsCxrConfig,
    PadchestGrConfig,
    PhantomConfig,
    RealCxrConfig,
    VindrCxrConfig,
)
from harness.dataset.jsonl import open_jsonl
from harness.dataset.ms_cxr import open_ms_cxr
from harness.dataset.padchest_gr import open_padchest_gr
from harness.dataset.phantom import PhantomDataset
from harness.dataset.real_cxr import open_real_cxr
from harness.dataset.vindr_cxr import open_vindr_cxr
from harness.settings import ConfigError, Settings, explain
from wronglung.keys import suggest

Config = TypeVar("Config", bound=Settings)


@dataclass(frozen=True, slots=True)
class Format(Generic[Config]):
    """One kind of data set."""

    config: type[Config]
    open: Callable[[Config], Dataset]
    """Raises FileNotFoundError or DatasetError when there is nothing to read."""
    main: str
    """The setting that ``KIND:VALUE`` on a command line gives."""
    example: str
    """How it is named on a command line."""
    meaning: str
    """What that opens."""


def _open_phantom(config: PhantomConfig) -> Dataset:
    return PhantomDataset(seed=config.seed, split=config.split, patients=config.patients)


def _open_jsonl(config: JsonlConfig) -> Dataset:
    seen = read_patients(config.finetuned_patients)
    return open_jsonl(config.path, inclusive_maxima=config.inclusive_maxima, seen_patients=seen)


def _open_real_cxr(config: RealCxrConfig) -> Dataset:
    return open_real_cxr(config.root, seen_patients=read_patients(config.finetuned_patients))


FORMATS: dict[str, Format[Any]] = {
    "chest_imagenome_gold": Format(
        ChestImagenomeGoldConfig,
        open_gold,
        "root",
        "chest_imagenome_gold:chest-imagenome,images=mimic-cxr-jpg",
        "Chest ImaGenome's gold set, with a copy of MIMIC-CXR or MIMIC-CXR-JPG",
    ),
    "chest_imagenome_silver": Format(
        ChestImagenomeSilverConfig,
        SilverDataset,
        "root",
        "chest_imagenome_silver:chest-imagenome,images=mimic-cxr,split=test",
        "a split of its silver set (train, valid or test)",
    ),
    "jsonl": Format(JsonlConfig, _open_jsonl, "path", "jsonl:my/data.jsonl", "a JSONL file of your own"),
    "phantom": Format(
        PhantomConfig, _open_phantom, "split", "phantom:test", "the built-in phantoms (train, validation or test)"
    ),
    "real_cxr": Format(RealCxrConfig, _open_real_cxr, "root", "real_cxr", "the real radiographs beside the checkout"),
    "ms_cxr": Format(
        MsCxrConfig, open_ms_cxr, "path", "ms_cxr:MS_CXR.csv,images=mimic-cxr-jpg", "sentences of MIMIC-CXR with boxes"
    ),
    "padchest_gr": Format(
        PadchestGrConfig,
        open_padchest_gr,
        "path",
        "padchest_gr:grounded_reports.json,images=folder",
        "findings with boxes of two readers",
    ),
    "vindr_cxr": Format(
        VindrCxrConfig,
        open_vindr_cxr,
        "path",
        "vindr_cxr:annotations_train.csv,images=folder",
        "class names with boxes of several readers",
    ),
    "chexlocalize": Format(
        ChexlocalizeConfig,
        open_chexlocalize,
        "path",
        "chexlocalize:gt_segmentations_test.json,images=folder",
        "masks of pathologies",
    ),
    "coco": Format(CocoConfig, open_coco, "path", "coco:instances.json,images=folder", "any set in COCO's layout"),
}


def read_dataset(config: AnyDatasetConfig) -> Dataset:
    """Open and check a data set, even if nothing of it can be used.

    Raises:
        ConfigError: there is nothing at its path, or it cannot be read as a whole.
    """
    try:
        return FORMATS[config.kind].open(config)
    except (OSError, DatasetError) as error:
        raise ConfigError(str(error)) from error


def open_dataset(config: AnyDatasetConfig) -> Dataset:
    """Open and check a data set that is to be evaluated.

    Raises:
        ConfigError: as `read_dataset`, and if there is nothing in it that can be used.
    """
    dataset = read_dataset(config)
    if not len(dataset):
        raise ConfigError(f"data set {dataset.name} holds no usable image: harness validate says why")
    return dataset


def parse_dataset(text: str) -> AnyDatasetConfig:
    """A data set named on the command line: ``KIND``, ``KIND:VALUE`` or ``KIND:VALUE,key=value,…``, where KIND is one
    of `FORMATS`, VALUE its main setting, and the keys its others. Anything else is the path of a JSONL file.

    Raises:
        ConfigError: a setting is unknown or wrong.
    """
    kind, _, rest = text.partition(":")
    if kind not in FORMATS:
        if rest and not Path(text).exists():
            raise ConfigError(
                f"{text}: there is no such file, and no kind of data set {kind!r}{suggest(kind, FORMATS)}"
            )
        return JsonlConfig(kind="jsonl", path=Path(text))
    form = FORMATS[kind]
    value, *options = rest.split(",")
    tree: dict[str, Any] = {"kind": kind, **({form.main: value} if value else {})}
    for option in options:
        key, equals, setting = option.partition("=")
        if not (key and equals):
            raise ConfigError(f"{text!r}: write {option!r} as key=value")
        try:
            tree[key] = yaml.safe_load(setting)
        except yaml.YAMLError as error:
            raise ConfigError(f"{text!r}: the value of {key!r} is no YAML: {error}") from error
    try:
        config: AnyDatasetConfig = form.config.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(f"{text}: {'; '.join(explain(error, form.config))}") from error
    return config
