"""TorchServe's settings of one model, its `model-config.yaml`: what may stand there, held against it before a start.

TorchServe itself passes over a key that it does not know, and some that it knows break what is served here.
"""

import json
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, model_validator

from wronglung.model.compute import ComputeConfig, compute_config
from wronglung.model.errors import ModelFilesError
from wronglung.model.strict import StrictModel, parse_config

LONGEST_RESPONSE_S = 600
"""The gateway waits for two such batches."""
BROKEN = {
    "asyncCommunication": "with batches it lets requests hang",
    "clientTimeoutInMills": "it drops requests without an answer; deadlines travel with the requests",
    "continuousBatching": "the handler answers a request once",
    "parallelMode": "a model runs in one process",
    "parallelType": "a model runs in one process",
    "sequenceBatching": "requests do not depend on each other",
    "useJobTicket": "with it batches never fill",
    "useVenv": "workers use the packages of the server",
}
"""Keys that TorchServe knows and that must not be used, and why."""


class TorchServeSettings(StrictModel):
    """What `model-config.yaml` may say, by TorchServe's own names, with TorchServe's defaults."""

    minWorkers: int = Field(default=1, ge=1, le=64)
    maxWorkers: int = Field(default=1, ge=1, le=64)
    """Processes, each with its own copy of the model."""
    batchSize: int = Field(default=1, ge=1, le=1024)
    """Requests that are handed to a worker together, at most."""
    maxBatchDelay: int = Field(default=100, ge=0, le=10_000)
    """How long a batch waits to be filled, in ms; 0 keeps batches at 2."""
    responseTimeout: int = Field(default=120, ge=1, le=LONGEST_RESPONSE_S)
    """A worker that takes longer for a batch is killed, in s."""
    startupTimeout: int = Field(default=120, ge=1, le=3600)
    """A worker that takes longer to start is killed, in s."""
    maxRetryTimeoutInSec: int = Field(default=300, ge=1, le=3600)
    """How long TorchServe tries to start a dead worker again, in s."""
    jobQueueSize: int = Field(default=100, ge=1, le=100_000)
    """Requests that may wait."""
    deviceType: Literal["cpu", "gpu"] | None = None
    deviceIds: list[int] | None = None
    """GPUs to use; all of them if nothing is said."""
    handler: dict[str, Any] | None = None
    """Ours: see `ComputeConfig`."""

    @model_validator(mode="after")
    def _workers_in_order(self) -> "TorchServeSettings":
        if self.minWorkers > self.maxWorkers:
            raise ValueError(f"minWorkers is {self.minWorkers}, more than maxWorkers, {self.maxWorkers}")
        return self


def read_serving_settings(path: Path) -> tuple[TorchServeSettings, ComputeConfig]:
    """Read a model's `model-config.yaml`: what is TorchServe's, and what is our handler's.

    Raises:
        ModelFilesError: it cannot be read, or a key is unknown, harmful, or has no allowed value; the message names it.
    """
    settings = _mapping(path)
    harmful = [f"  {key}: {BROKEN[key]}; leave it out" for key in sorted(BROKEN.keys() & settings.keys())]
    if harmful:
        raise ModelFilesError("\n".join([f"{path} asks for what TorchServe cannot do here:", *harmful]))
    compute = compute_config(settings, str(path))
    return parse_config(TorchServeSettings, json.dumps(settings, default=str), str(path)), compute


def _mapping(path: Path) -> dict[str, Any]:
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ModelFilesError(f"cannot read TorchServe's settings for the model: {error}") from error
    if not isinstance(settings, dict):
        raise ModelFilesError(f"{path} must hold TorchServe's settings for the model as a mapping")
    return settings
