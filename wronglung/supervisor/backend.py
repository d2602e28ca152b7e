"""What stands behind the gateway, as the supervisor sees it: TorchServe, or another server that can take its place."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import wronglung


class Backend(Protocol):
    """One instance. It listens on loopback and speaks TorchServe's `Predictions`."""

    @property
    def name(self) -> str:
        """What people know it by."""

    @property
    def directory(self) -> Path:
        """Private to the instance; removed with it."""

    @property
    def logs(self) -> Path:
        """The folder of its logs."""

    @property
    def target(self) -> str:
        """Where it listens for the gateway."""

    @property
    def metrics_url(self) -> str:
        """Its own page of metrics."""

    def prepare(self) -> None:
        """Write what it needs to start.

        Raises:
            OSError, ValueError: it cannot run in this directory; the message says why.
        """

    def command(self) -> list[str]:
        """What to run. SIGTERM must make it finish what it has taken on, and end."""

    def environment(self) -> Mapping[str, str]:
        """With what environment."""

    def setup_failure(self) -> str | None:
        """The model that a worker could not serve, and why; None if there is none."""

    def stages(self) -> dict[str, str]:
        """What each model is at while they start, in words."""

    def last_words(self) -> str:
        """The ends of its logs, for an error message."""


def python_path() -> str:
    """PYTHONPATH for a backend's workers: this very package first, then what was inherited."""
    ours, inherited = str(Path(wronglung.__file__).parents[1]), os.environ.get("PYTHONPATH")
    return os.pathsep.join([ours, inherited] if inherited else [ours])
