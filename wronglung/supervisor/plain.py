"""One instance of the plain backend, seen from the supervisor."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wronglung.plain.settings import PlainModel, PlainSettings, worker_log
from wronglung.supervisor.backend import python_path
from wronglung.supervisor.said import last_words, setup_failure, tail
from wronglung.supervisor.stages import STAGE


@dataclass(frozen=True, slots=True)
class PlainBackend:
    """What one instance needs. Its directory is private: settings and logs lie in it, models stay where they are."""

    directory: Path
    home: Path
    handler: Path
    models: tuple[PlainModel, ...]
    grpc_port: int
    metrics_port: int
    threads: int
    name: str = "the plain backend"

    @property
    def target(self) -> str:
        """Where it listens for the gateway."""
        return f"127.0.0.1:{self.grpc_port}"

    @property
    def metrics_url(self) -> str:
        """Its own page of metrics."""
        return f"http://127.0.0.1:{self.metrics_port}/metrics"

    @property
    def logs(self) -> Path:
        """The folder of its logs."""
        return self.directory / "logs"

    def prepare(self) -> None:
        """Write the settings and create the folders."""
        self.logs.mkdir(parents=True, exist_ok=True)
        settings = PlainSettings(
            port=self.grpc_port,
            metrics_port=self.metrics_port,
            handler=self.handler,
            metrics=self.home / "deploy/torchserve/metrics.yaml",
            logs=self.logs,
            models=self.models,
        )
        settings.write(self._settings)

    @property
    def _settings(self) -> Path:
        return self.directory / "plain.json"

    def command(self) -> list[str]:
        """The backend; it starts its workers."""
        return [sys.executable, "-m", "wronglung.plain", str(self._settings)]

    def environment(self) -> Mapping[str, str]:
        """The environment of the backend, which its workers inherit."""
        return os.environ | {
            "PYTHONPATH": python_path(),
            "OMP_NUM_THREADS": str(self.threads),
            "TORCHINDUCTOR_CACHE_DIR": str(self.directory / "inductor"),  # torch makes it, and would leave it behind
        }

    def setup_failure(self) -> str | None:
        """The model that a worker could not serve, and why; None if there is none."""
        said = {label: [line for log in logs for line in tail(log).splitlines()] for label, logs in self._logs.items()}
        return setup_failure(said)

    def stages(self) -> dict[str, str]:
        """What each model's first worker is at while they start, in words."""
        return {label: _stage(tail(logs[0])) for label, logs in self._logs.items()}

    def last_words(self) -> str:
        """The ends of its logs, for an error message."""
        workers = [log for logs in self._logs.values() for log in logs]
        return last_words([self.logs / "console.log", *workers])

    @property
    def _logs(self) -> dict[str, list[Path]]:
        """Of the workers, by the label of their model."""
        return {m.label: [worker_log(self.logs, m.label, number) for number in range(m.workers)] for m in self.models}


def _stage(said: str) -> str:
    return said.rpartition(STAGE)[2].splitlines()[0].lstrip(": ") if STAGE in said else "starts a worker"
