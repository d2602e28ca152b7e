"""The loop itself, around a network of one weight: what the log tells."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.unit.training.test_training_run import RECIPE
from training.config import RecipeFile
from training.devices import Devices
from training.logs import LOG_FILE
from training.trainer import Batches, Trainer

Numbers = list[float]
"""A batch."""


class MeanOfNumbers:
    """The loss is the mean of a batch's numbers, whatever the weight is."""

    columns: Sequence[str] = ()

    def __init__(self, network: nn.Linear) -> None:
        self._weight = network.weight

    def parameter_groups(self) -> list[dict[str, Any]]:
        return [{"params": [self._weight], "rate": 1.0}]

    def loss(self, batch: Numbers) -> Tensor:
        return torch.tensor(np.mean(batch)) + 0 * self._weight.sum()

    def watch(self, model: Path) -> dict[str, float]:
        return {}


def trainer(folder: Path, validation: list[Numbers], **changes: object) -> Trainer[Numbers]:
    def training(rng: np.random.Generator) -> Iterator[Numbers]:
        yield [1.0]

    schedule = {"steps": 4, "batch": 2, "evaluate_every": 1}
    recipe = RecipeFile.model_validate({**RECIPE, "kind": "findings", "schedule": schedule, **changes}).root
    network = nn.Linear(1, 1)
    batches = Batches(training, lambda: iter(validation))
    return Trainer(recipe, network, MeanOfNumbers(network), batches, _make, folder, Devices("cpu"))


def _make(folder: Path) -> None:
    folder.mkdir(exist_ok=True)


def test_the_log_tells_the_rate_that_the_step_was_made_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made_with, step = [], torch.optim.AdamW.step

    def noted(self: torch.optim.AdamW, closure: None = None) -> Any:
        made_with.append(self.param_groups[0]["lr"])
        return step(self, closure)

    monkeypatch.setattr(torch.optim.AdamW, "step", noted)
    trainer(tmp_path, [[1.0]], optimiser={"learning_rate": 0.5, "warmup_steps": 2}).run("a run")
    with (tmp_path / LOG_FILE).open() as file:
        logged = [float(row["learning_rate"]) for row in csv.DictReader(file)]
    assert logged == [pytest.approx(rate) for rate in made_with] == [0.25, 0.5, 0.5, 0.25]
