"""A whole training run: data, tokenizer, training, evaluation on test patients, the model's folder."""

import time
from pathlib import Path

import torch

from harness.dataset.phantom import PhantomDataset
from training.batches import BatchSource
from training.config import TrainingConfig
from training.evaluation import evaluate
from training.publish import Measured, publish
from training.setup import first_network
from training.studies import StudySet, load_studies
from training.trainer import Trainer
from training.vocabulary import build_tokenizer
from wronglung.model.engine import load_model

REPOSITORY = Path(__file__).resolve().parents[1]


def train_and_publish(config: TrainingConfig, recipe: str, output: Path, work: Path) -> None:
    """Run a recipe from rendering to card.

    Args:
        config: the recipe.
        recipe: where it came from, for the card.
        output: the model's folder; its model files are replaced.
        work: folder for renderings (shared between runs), log and checkpoints.
    """
    torch.set_num_threads(config.threads)
    training = _studies(config, "train", config.data.patients, config.data.mirrored, work)
    validation = _studies(config, "validation", config.data.validation_patients, False, work)
    started, folder = time.monotonic(), work / config.name
    tokenizer = build_tokenizer(training.studies, config.cleaning, config.network.text.vocab_size)
    trainer = Trainer(
        config,
        first_network(config, tokenizer, REPOSITORY),
        tokenizer,
        BatchSource(training, config.preprocess, config.schedule.batch, config.data.abnormal_share),
        BatchSource(validation, config.preprocess, config.schedule.batch, config.data.abnormal_share),
        folder,
    )
    progress = trainer.run()
    seconds = time.monotonic() - started
    test = PhantomDataset(config.data.seed, "test", config.data.test_patients)
    measured = Measured(
        seconds=seconds,
        progress=progress,
        parameters=sum(parameter.numel() for parameter in trainer.network.parameters()),
        training_studies=len(training.studies),
        test_studies=len(test),
        outcomes=evaluate(load_model(trainer.best), test),
    )
    publish(folder, output, config, recipe, measured)


def _studies(config: TrainingConfig, split: str, patients: int, mirrored: bool, work: Path) -> StudySet:
    dataset = PhantomDataset(config.data.seed, split, patients)  # type: ignore[arg-type]
    return load_studies(
        dataset,
        side=config.preprocess.longer_side,
        stretch=config.preprocess.stretch,
        mirrored=mirrored,
        cache=work / "renderings",
    )
