"""A worker's process: loads the handler and its model once, then answers one request after the other.

The handler meets what it would meet under TorchServe: a context with the model's names, settings and metrics.
"""

import importlib.util
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import yaml

from wronglung.plain.reports import Notes, Report
from wronglung.plain.settings import PlainModel
from wronglung.supervisor.tie import tie_to


class Answer(NamedTuple):
    """What a worker made of a request."""

    body: bytes
    reports: list[Report]


class Context:
    """What the handler knows of its model; as much of TorchServe's context as it uses."""

    def __init__(self, model: PlainModel) -> None:
        self.model_name = model.name
        self.manifest = {"model": {"modelVersion": model.version}}
        self.system_properties = {"model_dir": str(model.directory), "gpu_id": 0}
        self.model_yaml_config = yaml.safe_load(model.settings.read_text(encoding="utf-8"))
        self.metrics = Notes()

    def set_response_header(self, index: int, key: str, value: str) -> None:
        """TorchServe would want to know; nobody does here."""


class _Loaded(NamedTuple):
    handler: Any
    context: Context


_loaded: _Loaded | None = None


def start(handler: Path, model: PlainModel, log: Path, parent: int) -> None:
    """Become a worker of `parent`: die with it, write to `log`, load the model.

    Raises:
        Exception: whatever the handler raises when it cannot serve the model.
    """
    global _loaded
    tie_to(parent)
    _write_to(log)
    context = Context(model)
    instance = _handler_in(_module(handler))()
    instance.initialize(context)
    _loaded = _Loaded(instance, context)


def answer(entries: Mapping[str, bytes]) -> Answer:
    """Answer one request."""
    assert _loaded is not None, "start comes first"
    (body,) = _loaded.handler.handle([entries], _loaded.context)
    return Answer(bytes(body), _loaded.context.metrics.take())


def process_id() -> int:
    """This worker's, once it has loaded its model."""
    return os.getpid()


def _write_to(log: Path) -> None:
    """All that this process and what it calls says."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(descriptor, stream.fileno())
    os.close(descriptor)


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _handler_in(module: ModuleType) -> type[Any]:
    """The one class of the module that handles, as TorchServe finds it.

    Raises:
        TypeError: there is none, or there are several.
    """
    own = [each for each in vars(module).values() if isinstance(each, type) and each.__module__ == module.__name__]
    handlers = [each for each in own if hasattr(each, "handle")]
    if len(handlers) != 1:
        raise TypeError(f"{module.__name__} must define one class with a method `handle`, not {len(handlers)}")
    return handlers[0]
