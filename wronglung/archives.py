"""TorchServe's archives (.mar) from the models of a model store. Archives are built, never committed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from model_archiver.model_archiver_config import ModelArchiverConfig
from model_archiver.model_packaging_utils import ModelExportUtils

from wronglung.archive_file import files_below, write_archive
from wronglung.model.compute import ComputeConfig
from wronglung.model.config import ModelConfig
from wronglung.model.strict import parse_config
from wronglung.progress import Progress, silent
from wronglung.served import VERSION_MARK, ServedModel, write_models
from wronglung.serving_settings import read_serving_settings

HANDLER = Path("handlers", "alignment_handler.py")
CONFIG_FILE = "config.json"
SERVING_FILE = "model-config.yaml"
_MANIFEST = "MAR-INF/MANIFEST.json"


class StoreError(ValueError):
    """The model store lacks what was asked for."""


class ServingSettings(NamedTuple):
    """What a model's `model-config.yaml` says of how it is served."""

    workers: int
    batch_size: int
    queue_size: int
    response_s: float
    compute: ComputeConfig


def models_in(store: Path) -> list[str]:
    """The names of the models in a store: its folders with a `config.json`, sorted.

    Raises:
        StoreError: there is no such folder, or no model in it.
    """
    names = sorted(path.parent.name for path in store.glob(f"*/{CONFIG_FILE}"))
    if not names:
        raise StoreError(f"there is no model in {store}: give the folder that holds the models with --model-store")
    return names


def describe_models(names: Sequence[str], store: Path) -> list[ServedModel]:
    """What the table of models says of each.

    Args:
        names: folders of the store.
        store: the model store.

    Raises:
        StoreError: a model is missing or named twice.
        ModelFilesError: its `config.json` or one of its settings is invalid.
    """
    served: list[ServedModel] = []
    for name in names:
        if not (store / name / CONFIG_FILE).is_file():
            there = ", ".join(models_in(store))
            raise StoreError(f"--models: there is no model {name!r} in {store}; there are: {there}")
        model = _describe(store / name)
        if (model.name, model.version) in {(each.name, each.version) for each in served}:
            raise StoreError(f"--models: model {model.name!r} is named twice in version {model.version}: name it once")
        served.append(model)
    return _told_apart(served)


def build_archives(
    names: Sequence[str], store: Path, output: Path, home: Path, progress: Progress = silent
) -> list[ServedModel]:
    """Build `<label>.mar` for each model and the table of models beside them. Existing files are replaced.

    Args:
        names: folders of the store.
        store: the model store.
        output: where to write; created.
        home: the checkout, for the handler.
        progress: see `Progress`.

    Raises:
        StoreError, ModelFilesError: see `describe_models`.
    """
    served = describe_models(names, store)
    output.mkdir(parents=True, exist_ok=True)
    for model, name in zip(served, names, strict=True):
        _archive(model, store / name, output, home / HANDLER, progress)
    write_models(served, output)
    return served


def _told_apart(models: Sequence[ServedModel]) -> list[ServedModel]:
    """The same models, knowing whether they share their names."""
    times = Counter(model.name for model in models)
    return [replace(model, shares_name=times[model.name] > 1) for model in models]


def _describe(directory: Path) -> ServedModel:
    source = directory / CONFIG_FILE
    config = parse_config(ModelConfig, source.read_text(encoding="utf-8"), str(source))
    settings = serving_settings(directory / SERVING_FILE)
    side = config.network.grid_side
    return ServedModel(
        name=_name(directory.resolve().name, config.version),
        version=config.version,
        weights_digest=config.weights_sha256,
        has_opt_out=config.network.has_opt_out,
        grid_rows=side,
        grid_cols=side,
        frame_width=config.preprocess.crop,
        frame_height=config.preprocess.crop,
        max_word_pieces=config.network.text.max_word_pieces,
        workers=settings.workers,
        batch_size=settings.batch_size,
        queue_size=settings.queue_size,
        response_s=settings.response_s,
    )


def _name(folder: str, version: str) -> str:
    """The model whose folder is called so: ``name`` or ``name@version``."""
    name, mark, named = folder.partition(VERSION_MARK)
    if mark and named != version:
        raise StoreError(f"the folder {folder!r} holds version {version}: call it {name}{VERSION_MARK}{version}")
    return name


def serving_settings(path: Path) -> ServingSettings:
    """Read what matters here of a model's `model-config.yaml`; see `read_serving_settings`."""
    torchserve, compute = read_serving_settings(path)
    workers, batch, queue = torchserve.maxWorkers, torchserve.batchSize, torchserve.jobQueueSize
    return ServingSettings(workers, batch, queue, torchserve.responseTimeout, compute)


def _archive(model: ServedModel, directory: Path, output: Path, handler: Path, progress: Progress) -> None:
    config = ModelArchiverConfig(
        model_name=model.name, version=model.version, handler=handler.name, config_file=SERVING_FILE
    )
    files = {**dict(files_below(directory)), handler.name: handler}
    step = progress(f"archive of {model.label}", sum(path.stat().st_size for path in files.values()))
    manifest = ModelExportUtils.generate_manifest_json(config)
    write_archive(output / f"{model.label}.mar", files, {_MANIFEST: manifest}, step)
