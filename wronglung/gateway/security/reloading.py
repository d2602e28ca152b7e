"""A value made of files, made again when they change. What cannot be used leaves the one before in force."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, TypeVar

from wronglung.gateway.metrics import Metrics
from wronglung.gateway.security.named import named

_POLL_S = 1.0
_log = logging.getLogger(__name__)
T = TypeVar("T")


class Reloading(Generic[T]):
    """Files and what was made of them.

    Contents are compared, not times: the files are small, and a time can stay the same. So a pair of files of which one
    was replaced is looked at again as soon as the other is.

    Args:
        subject: what it is, for logs and metrics: a word.
        files: their paths, by the options that name them; errors name both.
        make: makes the value of their contents; raises ValueError when they cannot be used.
        metrics: where reloads are counted.

    Raises:
        OSError: a file cannot be read now.
        ValueError: the contents cannot be used now.
    """

    def __init__(self, subject: str, files: Mapping[str, Path], make: Callable[..., T], metrics: Metrics) -> None:
        self._subject = subject
        self._files = dict(files)
        self._make = make
        self._metrics = metrics
        self._seen: object = None
        contents = self._read()
        self.value = self._made(contents)
        """The value that is in force."""
        self._seen = contents
        metrics.reload_failing.labels(subject).set(0)

    def refresh(self) -> bool:
        """Look at the files; returns whether the value is a new one. Never raises for what is in the files."""
        try:
            contents = self._read()
        except OSError as error:
            self._keep(repr(error), error)
            return False
        if contents == self._seen:
            return False
        try:
            value = self._made(contents)
        except Exception as error:  # libraries raise what they like, and the watcher has to live
            self._keep(contents, error)
            return False
        self.value, self._seen = value, contents
        self._metrics.reload_failing.labels(self._subject).set(0)
        self._metrics.reloads.labels(self._subject, "OK").inc()
        _log.info("reloaded", extra={"subject": self._subject})
        return True

    def _read(self) -> tuple[bytes, ...]:
        return tuple(_content(option, path) for option, path in self._files.items())

    def _made(self, contents: tuple[bytes, ...]) -> T:
        try:
            return self._make(*contents)
        except ValueError as error:
            files = ", ".join(named(option, path) for option, path in self._files.items())
            raise ValueError(f"{files}: {error}") from error

    def _keep(self, seen: object, error: Exception) -> None:
        """Say once, for each state that the files are found in, that they cannot be used."""
        if seen == self._seen:
            return
        self._seen = seen
        self._metrics.reload_failing.labels(self._subject).set(1)
        self._metrics.reloads.labels(self._subject, "failed").inc()
        _log.error("not reloaded: what was read before stays in force", extra=self._facts(error))

    def _facts(self, error: Exception) -> dict[str, str]:
        return {"subject": self._subject, "error": str(error)}


def _content(option: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        why = error.strerror or error
        raise OSError(f"{named(option, path)}: {why}: give a file that is there and that this user may read") from error


class Watcher:
    """Looks at files in the background, again and again.

    Args:
        subject: what it watches, in the plural, for the log.
        look: looks at them now; called in a thread, for they may lie on a mount that does not answer. Returns whether
            there is something new.
    """

    def __init__(self, subject: str, look: Callable[[], bool]) -> None:
        self._subject = subject
        self._look = look
        self._task: asyncio.Task[None] | None = None

    def start(self, on_change: Callable[[], None]) -> None:
        """Begin; `on_change` is called, in the event loop, when there is something new."""
        self._task = asyncio.create_task(self._watch(on_change))
        self._task.add_done_callback(self._complain)

    async def stop(self) -> None:
        """Watch no longer; nothing where it was not started."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self, on_change: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(_POLL_S)
            if await asyncio.to_thread(self._look):
                on_change()

    def _complain(self, task: "asyncio.Task[None]") -> None:
        """It ends by being cancelled alone."""
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.critical("files are not reloaded any longer", extra={"subject": self._subject}, exc_info=error)
