"""The loop: from batches to weights, with logs, a checkpoint of the best model so far, and a state to go on from."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import nn
from torch.optim import AdamW, Optimizer
from tqdm import tqdm

from harness.settings import ConfigError
from training.config import OptimiserConfig, Recipe
from training.devices import Devices
from training.logs import open_logs
from training.objective import Objective
from training.state import (
    STATE_FILE,
    Learner,
    random_state,
    read_facts,
    read_random,
    read_tensors,
    restore_random_state,
    save_state,
)
from training.stream import BatchStream, Pass

_COLUMNS = ("step", "seconds", "learning_rate", "train_loss", "validation_loss")

SaveModel = Callable[[Path], object]
"""Writes the network as it is now into a folder."""
BatchT = TypeVar("BatchT")


@dataclass(slots=True)
class Progress:
    """What has been reached so far."""

    best_loss: float = math.inf
    best_step: int = 0
    step: int = 0
    looks_without_gain: int = 0
    seconds: float = 0.0
    """Spent so far, up to the last look."""
    recent_losses: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Batches(Generic[BatchT]):
    """Where batches come from."""

    training: Pass[BatchT]
    """One pass over the patients that are learned from."""
    validation: Callable[[], Iterator[BatchT]]
    """The same batches at every call."""


class Trainer(Generic[BatchT]):
    """Trains one network.

    Args:
        recipe: how long, and how fast.
        network: with its first weights, on the device.
        objective: what is asked for.
        batches: what is learned from, and looked at.
        save: writes the model's files.
        folder: for logs, the best checkpoint and the state.
        devices: this process and the others.
    """

    def __init__(
        self,
        recipe: Recipe,
        network: nn.Module,
        objective: Objective[BatchT],
        batches: Batches[BatchT],
        save: SaveModel,
        folder: Path,
        devices: Devices,
    ) -> None:
        self.best = folder / "best"
        self._recipe, self._network, self._objective, self._devices = recipe, network, objective, devices
        self._validation, self._save, self._folder = batches.validation, save, folder
        self._stream = BatchStream(batches.training, devices.random(recipe.seed))
        self._optimiser = _optimiser(objective, recipe.optimiser)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimiser, self._rate)
        self._learner = Learner(network, self._optimiser)
        self._together = devices.together(network, self._learner.learned)
        self._progress = Progress()

    def resume(self, identity: str) -> int:
        """Go to where a run stopped, if it left a state; returns the step.

        Raises:
            ConfigError: the state is of another recipe or number of processes, or damaged.
        """
        path = self._folder / STATE_FILE
        facts = read_facts(path)
        if facts is None:
            return 0
        for what, now in (("identity", identity), ("processes", self._devices.count)):
            if facts[what] != now:
                changed = "of another recipe or other data" if what == "identity" else f"of {facts[what]} processes"
                raise ConfigError(f"{path} is the state of a run {changed}: start anew without --resume")
        self._learner.restore(read_tensors(path))
        for group, rates in zip(self._optimiser.param_groups, facts["rates"], strict=True):
            group.update(rates)
        self._schedule.load_state_dict(facts["schedule"])
        self._stream.seek(facts["positions"][self._devices.index])
        self._progress = Progress(**facts["progress"])
        restore_random_state(read_random(path, self._devices.index), self._devices.device)
        return self._progress.step

    def run(self, identity: str) -> Progress:
        """Train to the last step, or until the validation loss has stopped falling; `best` then holds the model.

        Args:
            identity: told from that of any run that would give other weights.
        """
        progress, begun = self._progress, time.monotonic() - self._progress.seconds
        columns = (*_COLUMNS, *self._objective.columns, "best")
        names = self._recipe.logs if self._devices.is_first else ()
        self._folder.mkdir(parents=True, exist_ok=True)
        with open_logs(names, self._folder, columns, progress.step) as write:
            for progress.step in self._steps():
                progress.recent_losses.append(self._step(self._devices.place(next(self._stream))))
                if self._is_looked_at(progress.step):
                    progress.seconds = time.monotonic() - begun
                    write(self._look())
                    self._keep_state(identity)
        progress.seconds = time.monotonic() - begun
        return progress

    def _steps(self) -> Iterator[int]:
        """The numbers of the steps that are left, with a bar; none once patience is at its end."""
        schedule, progress = self._recipe.schedule, self._progress
        with tqdm(
            desc=self._recipe.name,
            initial=progress.step,
            total=schedule.steps,
            unit="step",
            disable=not self._devices.is_first,
        ) as bar:
            for step in range(progress.step + 1, schedule.steps + 1):
                if progress.looks_without_gain >= schedule.patience:
                    return
                yield step
                bar.update()

    def _is_looked_at(self, step: int) -> bool:
        """Every so many steps, and after the last one: none is trained for nothing."""
        schedule = self._recipe.schedule
        return step % schedule.evaluate_every == 0 or step == schedule.steps

    def _step(self, batch: BatchT) -> float:
        self._network.train()
        loss = self._together.loss(lambda: self._objective.loss(batch))
        if not torch.isfinite(loss):
            raise ConfigError(
                f"the loss is {loss.item()} after step {self._progress.step}: lower optimiser.learning_rate, or look at"
                " the data; the best checkpoint so far is kept"
            )
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._learner.learned, self._recipe.optimiser.gradient_clip)
        self._optimiser.step()
        self._schedule.step()
        return loss.item()

    def _rate(self, step: int) -> float:
        """Linear warm-up, then a cosine to zero at the last step."""
        warmup, steps = self._recipe.optimiser.warmup_steps, self._recipe.schedule.steps
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))

    def _look(self) -> dict[str, float]:
        """Hold the model against the validation patients and keep it if it is the best so far; a row for the logs."""
        progress = self._progress
        loss, watched = self._devices.from_first(self._examine)
        improved = loss < progress.best_loss
        progress.looks_without_gain = 0 if improved else progress.looks_without_gain + 1
        if improved:
            progress.best_loss, progress.best_step = loss, progress.step
            if self._devices.is_first:
                self._save(self.best)
        train_loss = sum(progress.recent_losses) / len(progress.recent_losses)
        progress.recent_losses.clear()
        rate = self._recipe.optimiser.learning_rate * self._rate(progress.step - 1)  # the schedule is a step ahead
        figures = (progress.step, progress.seconds, rate, train_loss, loss)
        return {**dict(zip(_COLUMNS, figures, strict=True)), **watched, "best": int(improved)}

    def _examine(self) -> tuple[float, dict[str, float]]:
        """Validation loss, and what the objective watches."""
        loss = self._validation_loss()
        latest = self._folder / "latest"
        self._save(latest)
        return loss, self._objective.watch(latest)

    @torch.no_grad()
    def _validation_loss(self) -> float:
        self._network.eval()
        batches = map(self._devices.place, self._validation())
        found = [(self._objective.loss(batch).item(), self._objective.counted(batch)) for batch in batches]
        if not found:
            raise ConfigError("schedule.batch: there are too few validation patients to fill a batch: make it smaller")
        if not any(count for _, count in found):
            raise ConfigError(
                "held_out: none of these sentences of validation patients has a box inside the crop: look at the boxes,"
                " or hold out more"
            )
        return _mean_over_items(found)

    def _keep_state(self, identity: str) -> None:
        """Write down all that a run needs to go on from here."""
        positions = self._devices.everyone(self._stream.position)
        random = self._devices.everyone(random_state(self._devices.device))
        if not self._devices.is_first:
            return
        facts: dict[str, Any] = {
            "identity": identity,
            "processes": self._devices.count,
            "progress": asdict(self._progress),
            "rates": [{key: group[key] for key in ("lr", "initial_lr")} for group in self._optimiser.param_groups],
            "schedule": self._schedule.state_dict(),
            "positions": positions,
        }
        save_state(self._folder / STATE_FILE, self._learner.tensors(), random, facts)


def _mean_over_items(found: Sequence[tuple[float, int]]) -> float:
    """The mean over all items of several batches, of each of which the mean and the number of items are known.

    Weights are relative to the largest batch: of batches of one size each is exactly 1.
    """
    largest = max(count for _, count in found)
    weights = [count / largest for _, count in found]
    return sum(loss * weight for (loss, _), weight in zip(found, weights, strict=True)) / sum(weights)


def _optimiser(objective: Objective[BatchT], config: OptimiserConfig) -> Optimizer:
    """AdamW over the objective's groups."""
    groups = [
        {"params": group["params"], "lr": config.learning_rate * group["rate"]}
        for group in objective.parameter_groups()
    ]
    return AdamW(groups, lr=config.learning_rate, betas=config.betas, weight_decay=config.weight_decay)
