"""A whole training run: data, tokenizer, training, evaluation on test patients, the model's folder."""

import time
from pathlib import Path
from typing import NamedTuple

import torch
from tokenizers import Tokenizer

from harness.dataset.phantom import PhantomDataset
from training.batches import BatchSource
from training.config import TrainingConfig, load_config
from training.evaluation import evaluate
from training.publish import Measured, publish
from training.setup import first_network
from training.studies import StudySet, load_studies
from training.trainer import Progress, Trainer
from training.vocabulary import build_tokenizer
from wronglung.model.checkpoint import load_checkpoint
from wronglung.model.engine import load_model

REPOSITORY = Path(__file__).resolve().parents[1]


class _Trained(NamedTuple):
    """What training gave, beside the files in its folder."""

    folder: Path
    progress: Progress
    seconds: float
    parameters: int
    studies: int


def train_and_publish(config: TrainingConfig, recipe: str, output: Path, work: Path) -> None:
    """Run a recipe from rendering to card, and before it the recipe that it starts from if that has not been run.

    Args:
        config: the recipe.
        recipe: where it came from, for the card.
        output: the model's folder; its model files are replaced.
        work: folder for renderings (shared between runs), logs and checkpoints.
    """
    trained = _train(config, work)
    test = PhantomDataset(config.data.seed, "test", config.data.test_patients)
    measured = Measured(
        seconds=trained.seconds,
        progress=trained.progress,
        parameters=trained.parameters,
        training_studies=trained.studies,
        test_studies=len(test),
        outcomes=evaluate(load_model(trained.folder / "best"), test),
    )
    publish(trained.folder, output, config, recipe, measured)


def _train(config: TrainingConfig, work: Path) -> _Trained:
    start = None if config.start_from is None else _result_of(REPOSITORY / config.start_from, work)
    torch.set_num_threads(config.threads)
    data, batch = config.data, config.schedule.batch
    training = _studies(config, "train", data.patients, data.mirrored, work)
    validation = _studies(config, "validation", data.validation_patients, False, work)
    started, folder = time.monotonic(), work / config.name
    tokenizer = _tokenizer(config, training, start)
    network = first_network(config, tokenizer, start)
    trainer = Trainer(
        config,
        network,
        tokenizer,
        BatchSource(training, config.preprocess, batch, data.abnormal_share, data.focused_share),
        BatchSource(validation, config.preprocess, batch, data.abnormal_share),
        folder,
    )
    progress = trainer.run()
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return _Trained(folder, progress, time.monotonic() - started, parameters, len(training.studies))


def _tokenizer(config: TrainingConfig, training: StudySet, start: Path | None) -> Tokenizer:
    """The tokenizer of the first weights, if there are any: their rows belong to its pieces."""
    if start is not None:
        return load_checkpoint(start).tokenizer
    return build_tokenizer(training.studies, config.cleaning, config.network.text.vocab_size)


def _result_of(recipe: Path, work: Path) -> Path:
    """The best checkpoint of another recipe, which is run if it has left none."""
    config = load_config(recipe)
    best = work / config.name / "best"
    if not best.exists():
        _train(config, work)
    return best


def _studies(config: TrainingConfig, split: str, patients: int, mirrored: bool, work: Path) -> StudySet:
    dataset = PhantomDataset(config.data.seed, split, patients)  # type: ignore[arg-type]
    return load_studies(
        dataset,
        side=config.preprocess.longer_side,
        stretch=config.preprocess.stretch,
        mirrored=mirrored,
        cache=work / "renderings",
    )
