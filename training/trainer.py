"""The loop: from studies to weights, with a log and a checkpoint of the best model so far."""

import csv
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch.optim import AdamW, Optimizer
from tqdm import tqdm

from training.batches import Batch, BatchSource
from training.config import OptimiserConfig, Recipe
from training.objective import Objective
from wronglung.model.network import AlignmentNetwork

LOG_FILE = "log.csv"
_COLUMNS = ("step", "seconds", "learning_rate", "train_loss", "validation_loss")
_VALIDATION_ROUNDS = 3

SaveModel = Callable[[Path], object]
"""Writes the network as it is now into a folder."""


@dataclass(slots=True)
class Progress:
    """What has been reached so far."""

    best_loss: float = math.inf
    best_step: int = 0
    step: int = 0
    looks_without_gain: int = 0
    recent_losses: list[float] = field(default_factory=list)


class Trainer:
    """Trains one network.

    Args:
        recipe: how long, and how fast.
        network: with its first weights.
        objective: what is asked for.
        training, validation: where batches come from.
        save: writes the model's files.
        folder: for the log and the best checkpoint.
    """

    def __init__(
        self,
        recipe: Recipe,
        network: AlignmentNetwork,
        objective: Objective,
        training: BatchSource,
        validation: BatchSource,
        save: SaveModel,
        folder: Path,
    ) -> None:
        self.best = folder / "best"
        self._recipe, self._network, self._objective = recipe, network, objective
        self._training, self._validation = training, validation
        self._save, self._folder = save, folder
        self._optimiser = _optimiser(objective, recipe.optimiser)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimiser, self._rate)

    def run(self) -> Progress:
        """Train to the last step, or until the validation loss has stopped falling; `best` then holds the model."""
        progress, started = Progress(), time.monotonic()
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / LOG_FILE).open("w", newline="", encoding="utf-8") as file:
            log = csv.DictWriter(file, (*_COLUMNS, *self._objective.columns, "best"))
            log.writeheader()
            file.flush()
            for progress.step, batch in self._batches():
                progress.recent_losses.append(self._step(batch))
                if progress.step % self._recipe.schedule.evaluate_every == 0:
                    log.writerow(self._look(progress, time.monotonic() - started))
                    file.flush()
                if progress.looks_without_gain >= self._recipe.schedule.patience:
                    break
        return progress

    def _batches(self) -> Iterator[tuple[int, Batch]]:
        """Numbered batches up to the last step, with a progress bar."""
        source = self._training.training(self._recipe.seed, self._recipe.augment)
        steps = range(1, self._recipe.schedule.steps + 1)
        return zip(tqdm(steps, self._recipe.name, unit="step"), source, strict=False)

    def _step(self, batch: Batch) -> float:
        self._network.train()
        loss = self._objective.loss(batch)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        learned = [parameter for group in self._optimiser.param_groups for parameter in group["params"]]
        torch.nn.utils.clip_grad_norm_(learned, self._recipe.optimiser.gradient_clip)
        self._optimiser.step()
        self._schedule.step()
        return loss.item()

    def _rate(self, step: int) -> float:
        """Linear warm-up, then a cosine to zero at the last step."""
        warmup, steps = self._recipe.optimiser.warmup_steps, self._recipe.schedule.steps
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))

    def _look(self, progress: Progress, seconds: float) -> dict[str, object]:
        """Hold the model against the validation patients and keep it if it is the best so far."""
        loss = self._validation_loss()
        latest = self._folder / "latest"
        self._save(latest)
        watched = self._objective.watch(latest)
        improved = loss < progress.best_loss
        progress.looks_without_gain = 0 if improved else progress.looks_without_gain + 1
        if improved:
            progress.best_loss, progress.best_step = loss, progress.step
            self._save(self.best)
        train_loss = sum(progress.recent_losses) / len(progress.recent_losses)
        progress.recent_losses.clear()
        figures = (seconds, self._schedule.get_last_lr()[0], train_loss, loss)
        row = {**dict(zip(_COLUMNS[1:], figures, strict=True)), **watched}
        return {"step": progress.step, **{k: f"{v:.5g}" for k, v in row.items()}, "best": int(improved)}

    @torch.no_grad()
    def _validation_loss(self) -> float:
        self._network.eval()
        batches = self._validation.validation(self._recipe.seed, _VALIDATION_ROUNDS)
        losses = [self._objective.loss(batch).item() for batch in batches]
        return sum(losses) / len(losses)


def _optimiser(objective: Objective, config: OptimiserConfig) -> Optimizer:
    """AdamW over the objective's groups."""
    groups = [
        {"params": group["params"], "lr": config.learning_rate * group["rate"]}
        for group in objective.parameter_groups()
    ]
    return AdamW(groups, lr=config.learning_rate, betas=config.betas, weight_decay=config.weight_decay)
