"""What a plain backend is told: a JSON file that the supervisor's side writes and `python -m wronglung.plain` reads.

Standard library only.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class PlainModel:
    """One model to serve."""

    label: str
    """What it is called in logs; see `ServedModel.label`."""
    name: str
    version: str
    directory: Path
    """Its folder in the model store."""
    settings: Path
    """Its `model-config.yaml`."""
    workers: int
    longest_s: float
    """A worker that takes longer for a request is replaced: `responseTimeout` of the model's settings."""


@dataclass(frozen=True, slots=True)
class PlainSettings:
    """One plain backend, on loopback."""

    port: int
    metrics_port: int
    handler: Path
    """The handler's file."""
    metrics: Path
    """Declares the handler's metrics: TorchServe's own `metrics.yaml`."""
    logs: Path
    """Folder for a log of each worker."""
    models: Sequence[PlainModel]

    def write(self, path: Path) -> None:
        """Write the file."""
        path.write_text(json.dumps(asdict(self), default=str, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "PlainSettings":
        """Read the file.

        Raises:
            OSError: it cannot be read.
            ValueError: it is not such a file.
        """
        try:
            entry = json.loads(path.read_text(encoding="utf-8"))
            entry["models"] = [PlainModel(**_with_paths(model, "directory", "settings")) for model in entry["models"]]
            return cls(**_with_paths(entry, "handler", "metrics", "logs"))
        except (KeyError, TypeError) as error:
            raise ValueError(f"{path} holds no settings of a plain backend: {error}") from error


def _with_paths(entry: dict[str, Any], *names: str) -> dict[str, Any]:
    return entry | {name: Path(entry[name]) for name in names}


def worker_log(logs: Path, label: str, number: int) -> Path:
    """Where a worker's words go, by its model and its number, from 0."""
    return logs / f"worker-{label}-{number}.log"
