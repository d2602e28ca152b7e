"""The loop itself, around a network of one weight: what a look weighs, and what the log tells."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from harness.settings import ConfigError
from tests.unit.training.test_training_run import RECIPE
from training.config import RecipeFile
from training.devices import Devices
from training.logs import LOG_FILE
from training.trainer import Batches, Trainer

Numbers = list[float]
"""A batch; those that are NaN do not count."""


class MeanOfNumbers:
    """The loss is the mean of a batch's numbers, whatever the weight is."""

    columns: Sequence[str] = ()

    def __init__(self, network: nn.Linear) -> None:
        self._weight = network.weight

    def parameter_groups(self) -> list[dict[str, Any]]:
        return [{"params": [self._weight], "rate": 1.0}]

    def loss(self, batch: Numbers) -> Tensor:
        return torch.tensor(np.nanmean(batch) if self.counted(batch) else 0.0) + 0 * self._weight.sum()

    def counted(self, batch: Numbers) -> int:
        return int(np.isfinite(batch).sum())

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


NOTHING = float("nan")


@pytest.mark.parametrize(
    ("validation", "expected"),
    [
        ([[1.0] * 30, [1.0] * 30, [1.0] * 30, [2.0] * 10], 1.1),
        ([[3.0, 3.0], [NOTHING, NOTHING]], 3.0),
        ([[1.0, NOTHING], [2.0, 2.0, 2.0]], 1.75),
    ],
    ids=["a smaller last batch", "a batch without any", "some left out"],
)
def test_each_item_that_counts_weighs_the_same(validation: list[Numbers], expected: float, tmp_path: Path) -> None:
    assert trainer(tmp_path, validation).run("a run").best_loss == pytest.approx(expected)


def test_of_batches_of_equal_size_the_plain_mean_is_taken_to_the_last_bit(tmp_path: Path) -> None:
    for seed in range(20):
        losses = np.random.default_rng(seed).random(7).astype(np.float32).astype(float).tolist()
        found = trainer(tmp_path / str(seed), [[loss] * 3 for loss in losses])._validation_loss()
        assert found == sum(losses) / 7


@pytest.mark.parametrize(
    ("validation", "told"),
    [([], r"schedule\.batch: .* make it smaller"), ([[NOTHING]], r"held_out: none .* has a box inside the crop")],
    ids=["no batch", "nothing that counts"],
)
def test_validation_data_that_say_nothing_end_the_run(validation: list[Numbers], told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=told):
        trainer(tmp_path, validation).run("a run")


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
