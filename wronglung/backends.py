"""The backends that `wronglung serve` can put behind the gateway, made ready to be started."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from wronglung.archives import HANDLER, SERVING_FILE, build_archives, describe_models
from wronglung.plain.settings import PlainModel
from wronglung.progress import Progress
from wronglung.served import MODELS_FILE, ServedModel, write_models
from wronglung.serving_settings import read_serving_settings
from wronglung.supervisor.backend import Backend
from wronglung.supervisor.java import find_java
from wronglung.supervisor.plain import PlainBackend
from wronglung.supervisor.ports import free_ports
from wronglung.supervisor.torchserve import TorchServe, threads_per_worker


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be served."""

    names: Sequence[str]
    """Folders of the store."""
    store: Path
    home: Path
    """The checkout."""
    directory: Path
    """Private to the instance."""
    java_heap_mb: int
    """Of TorchServe."""


def models_table(directory: Path) -> Path:
    """Where the table of models lies in the directory of an instance."""
    return directory / "archives" / MODELS_FILE


def torchserve(request: Request, progress: Progress) -> tuple[Backend, list[ServedModel]]:
    """Archives, free ports and Java.

    Raises:
        StoreError, ModelFilesError: see `describe_models`.
        JavaMissing: see `find_java`.
    """
    archives = models_table(request.directory).parent
    served = build_archives(request.names, request.store, archives, request.home, progress)
    grpc_port, grpc_management_port, metrics_port = free_ports(3)
    backend = TorchServe(
        directory=request.directory,
        home=request.home,
        java=find_java(),
        archives=archives,
        models=tuple(model.label for model in served),
        grpc_port=grpc_port,
        grpc_management_port=grpc_management_port,
        metrics_port=metrics_port,
        threads=_threads(served),
        heap_mb=request.java_heap_mb,
    )
    return backend, served


def plain(request: Request, _progress: Progress) -> tuple[Backend, list[ServedModel]]:
    """The models where they are, and free ports.

    Raises:
        StoreError, ModelFilesError: see `describe_models`.
    """
    served = describe_models(request.names, request.store)
    table = models_table(request.directory)
    table.parent.mkdir()
    write_models(served, table.parent)
    grpc_port, metrics_port = free_ports(2)
    folders = zip(served, request.names, strict=True)
    backend = PlainBackend(
        directory=request.directory,
        home=request.home,
        handler=request.home / HANDLER,
        models=tuple(_plain_model(model, request.store / name) for model, name in folders),
        grpc_port=grpc_port,
        metrics_port=metrics_port,
        threads=_threads(served),
    )
    return backend, served


BACKENDS: dict[str, Callable[[Request, Progress], tuple[Backend, list[ServedModel]]]] = {
    "torchserve": torchserve,
    "plain": plain,
}
"""By the names that `--backend` takes."""


def _threads(served: Sequence[ServedModel]) -> int:
    return threads_per_worker(sum(model.workers for model in served))


def _plain_model(model: ServedModel, directory: Path) -> PlainModel:
    directory = directory.resolve()
    settings, _ = read_serving_settings(directory / SERVING_FILE)
    return PlainModel(
        label=model.label,
        name=model.name,
        version=model.version,
        directory=directory,
        settings=directory / SERVING_FILE,
        workers=model.workers,
        longest_s=settings.responseTimeout,
    )
