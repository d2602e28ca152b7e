"""The loop: from studies to weights, with a log and a checkpoint of the best model so far."""

import csv
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor
from tqdm import tqdm

from harness.dataset.phantom import PhantomDataset
from training.batches import Batch, BatchSource
from training.config import TrainingConfig
from training.evaluation import UNPERTURBED, evaluate
from training.losses import batch_loss
from training.setup import make_optimiser
from wronglung.model.bert import encode_grouped
from wronglung.model.checkpoint import save_checkpoint
from wronglung.model.engine import load_model
from wronglung.model.network import AlignmentNetwork
from wronglung.model.text import SentenceTokenizer

LOG_FILE = "log.csv"
_LOG_FIELDS = ("step", "seconds", "learning_rate", "train_loss", "validation_loss", *("auroc", "auroc_swapped"), "best")
_VALIDATION_ROUNDS = 3
_WATCHED_PATIENTS = 25


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
        config: the recipe.
        network: with its first weights.
        tokenizer: made from the training sentences.
        training, validation: where batches come from.
        folder: for the log and the best checkpoint.
    """

    def __init__(
        self,
        config: TrainingConfig,
        network: AlignmentNetwork,
        tokenizer: Tokenizer,
        training: BatchSource,
        validation: BatchSource,
        folder: Path,
    ) -> None:
        self.network = network
        self.best = folder / "best"
        self._config = config
        self._tokenizer = tokenizer
        self._tokenize = SentenceTokenizer(tokenizer, config.cleaning, config.network.text.max_word_pieces)
        self._training, self._validation = training, validation
        self._watched = PhantomDataset(
            config.data.seed, "validation", min(config.data.validation_patients, _WATCHED_PATIENTS)
        )
        self._folder = folder
        self._optimiser = make_optimiser(self.network, config.optimiser)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimiser, self._rate)

    def run(self) -> Progress:
        """Train to the last step, or until the validation loss has stopped falling; `best` then holds the model."""
        progress, started = Progress(), time.monotonic()
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / LOG_FILE).open("w", newline="", encoding="utf-8") as file:
            log = csv.DictWriter(file, _LOG_FIELDS)
            log.writeheader()
            file.flush()
            for progress.step, batch in self._batches():
                progress.recent_losses.append(self._step(batch))
                if progress.step % self._config.schedule.evaluate_every == 0:
                    log.writerow(self._look(progress, time.monotonic() - started))
                    file.flush()
                if progress.looks_without_gain >= self._config.schedule.patience:
                    break
        return progress

    def _batches(self) -> Iterator[tuple[int, Batch]]:
        """Numbered batches up to the last step, with a progress bar."""
        source = self._training.training(self._config.seed, self._config.augment)
        steps = range(1, self._config.schedule.steps + 1)
        return zip(tqdm(steps, self._config.name, unit="step"), source, strict=False)

    def _step(self, batch: Batch) -> float:
        self.network.train()
        loss = self._loss(batch)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self._config.optimiser.gradient_clip)
        self._optimiser.step()
        self._schedule.step()
        return loss.item()

    def _loss(self, batch: Batch) -> Tensor:
        texts = encode_grouped(self.network.text, [self._tokenize(sentence) for sentence in batch.sentences])
        image = self.network.image(batch.frames_BHW)
        return batch_loss(self.network, image, texts, batch.false_negatives_BB, self._config.loss)

    def _rate(self, step: int) -> float:
        """Linear warm-up, then a cosine to zero at the last step."""
        warmup, steps = self._config.optimiser.warmup_steps, self._config.schedule.steps
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))

    def _look(self, progress: Progress, seconds: float) -> dict[str, object]:
        """Hold the model against the validation patients and keep it if it is the best so far."""
        loss = self._validation_loss()
        latest = self._folder / "latest"
        self._save(latest)
        outcomes = evaluate(load_model(latest), self._watched)
        improved = loss < progress.best_loss
        progress.looks_without_gain = 0 if improved else progress.looks_without_gain + 1
        if improved:
            progress.best_loss, progress.best_step = loss, progress.step
            self._save(self.best)
        train_loss = sum(progress.recent_losses) / len(progress.recent_losses)
        progress.recent_losses.clear()
        row = {
            "seconds": round(seconds, 1),
            "learning_rate": self._schedule.get_last_lr()[0],
            "train_loss": train_loss,
            "validation_loss": loss,
            "auroc": outcomes[UNPERTURBED]["abnormal"].auroc,
            "auroc_swapped": outcomes["swap_left_right"]["one_lung"].auroc,
        }
        return {"step": progress.step, **{k: f"{v:.5g}" for k, v in row.items()}, "best": int(improved)}

    @torch.no_grad()
    def _validation_loss(self) -> float:
        self.network.eval()
        batches = self._validation.validation(self._config.seed, _VALIDATION_ROUNDS)
        losses = [self._loss(batch).item() for batch in batches]
        return sum(losses) / len(losses)

    def _save(self, directory: Path) -> None:
        save_checkpoint(
            directory,
            self.network,
            self._tokenizer,
            preprocess=self._config.preprocess,
            cleaning=self._config.cleaning,
            version=self._config.version,
        )
