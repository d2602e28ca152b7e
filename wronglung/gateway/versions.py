"""Which version of a model answers callers who name none: a file that is watched, so that one rolls forward and back.

Each line names a model and one of its versions that are served: ``encoder 1.1``. Empty lines and those that begin with
``#`` are passed over. Every request is found its model once, as it arrives: one that is under way is not touched.
"""

import logging
from collections.abc import Callable
from pathlib import Path

from wronglung.errors import ModelUnknown
from wronglung.gateway.metrics import Metrics
from wronglung.gateway.security.reloading import Reloading, Watcher
from wronglung.served import Catalogue

_log = logging.getLogger(__name__)


class DefaultVersions:
    """Keeps the default versions of a catalogue as the file says.

    Args:
        path: the file.
        catalogue: what is served; changed when the file changes.
        metrics: where reloads are counted.
        on_change: called after a change.

    Raises:
        OSError: the file cannot be read now.
        ValueError: it names what is not served, or makes no sense.
    """

    def __init__(self, path: Path, catalogue: Catalogue, metrics: Metrics, on_change: Callable[[], None]) -> None:
        self._catalogue = catalogue
        self._on_change = on_change
        self._file = Reloading("default versions", {"--default-versions": path}, self._read, metrics)
        self._watcher = Watcher("default versions", self._file.refresh)
        catalogue.choose(self._file.value)

    def start(self) -> None:
        """From now on watch the file."""
        self._watcher.start(self._take)

    async def stop(self) -> None:
        """Watch no longer."""
        await self._watcher.stop()

    def refresh(self) -> None:
        """Look at the file now. What cannot be used leaves everything as it is."""
        if self._file.refresh():
            self._take()

    def _take(self) -> None:
        """Let the catalogue follow the file; in the event loop, where requests are found their models."""
        self._catalogue.choose(self._file.value)
        _log.info("default versions changed", extra={"versions": self._file.value})
        self._on_change()

    def _read(self, content: bytes) -> dict[str, str]:
        chosen: dict[str, str] = {}
        for number, line in enumerate(content.decode("utf-8").splitlines(), 1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            if len(words) != 2 or words[0] in chosen:
                raise ValueError(f"line {number} of the default versions: expected a model, once, and its version")
            chosen[words[0]] = words[1]
        if not chosen:
            raise ValueError("the default versions name no model: remove the option for the first version of each")
        for name, version in chosen.items():
            self._require_served(name, version)
        return chosen

    def _require_served(self, name: str, version: str) -> None:
        try:
            self._catalogue.find(name, version)
        except ModelUnknown as error:
            raise ValueError(f"the default versions name {name} {version}: {error.message}") from error
