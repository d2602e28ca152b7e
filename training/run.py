"""A whole training run: data, tokenizer, training, evaluation on test patients, the model's folder."""

import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from tokenizers import Tokenizer

from harness.dataset.phantom import GENERATOR_VERSION, PhantomDataset
from training.batches import BatchSource
from training.config import AnyRecipe, ContrastiveRecipe, FindingsRecipe, Recipe, load_recipe
from training.contrastive import ContrastiveObjective
from training.evaluation import evaluate
from training.findings import FindingsObjective, find_labels
from training.objective import Objective
from training.publish import Measured, publish
from training.setup import first_network
from training.studies import StudySet, load_studies
from training.trainer import Progress, Trainer
from training.vocabulary import build_tokenizer
from wronglung.model.checkpoint import load_checkpoint, save_checkpoint
from wronglung.model.engine import load_model
from wronglung.model.network import AlignmentNetwork
from wronglung.model.text import SentenceTokenizer

REPOSITORY = Path(__file__).resolve().parents[1]
_WATCHED_PATIENTS = 50
_FINISHED = "finished.txt"
"""Left in a run's folder at its end: which recipe gave the checkpoint."""


class _Trained(NamedTuple):
    """What training gave, beside the files in its folder."""

    folder: Path
    progress: Progress
    seconds: float
    parameters: int
    studies: int


def train_and_publish(recipe: ContrastiveRecipe, source: str, output: Path, work: Path) -> None:
    """Run a recipe from rendering to card, and before it the recipe that it starts from if that has not been run.

    Args:
        recipe: the recipe.
        source: where it came from, for the card.
        output: the model's folder; its model files are replaced.
        work: folder for renderings (shared between runs), logs and checkpoints.
    """
    trained = train(recipe, work)
    test = PhantomDataset(recipe.data.test_seed, "test", recipe.data.test_patients)
    measured = Measured(
        seconds=trained.seconds,
        progress=trained.progress,
        parameters=trained.parameters,
        training_studies=trained.studies,
        test_studies=len(test),
        outcomes=evaluate(load_model(trained.folder / "best"), test),
    )
    publish(trained.folder, output, recipe, source, measured)


def train(recipe: AnyRecipe, work: Path) -> _Trained:
    """Run a recipe without publishing; log and best checkpoint are then in ``work / recipe.name``."""
    start = _start(recipe, work)
    torch.set_num_threads(recipe.threads)
    training = _studies(recipe, "train", work)
    validation = _studies(recipe, "validation", work)
    started, folder = time.monotonic(), work / recipe.name
    (folder / _FINISHED).unlink(missing_ok=True)
    tokenizer = _tokenizer(recipe, training, start)
    network = first_network(recipe, tokenizer, start)
    batches = _batches(recipe, training)
    trainer = Trainer(
        recipe,
        network,
        _objective(recipe, network, tokenizer, training, batches),
        batches,
        _batches(recipe, validation),
        partial(_save, recipe, network, tokenizer),
        folder,
    )
    progress = trainer.run()
    (folder / _FINISHED).write_text(_identity(recipe), encoding="utf-8")
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return _Trained(folder, progress, time.monotonic() - started, parameters, len(training.studies))


def _objective(
    recipe: AnyRecipe, network: AlignmentNetwork, tokenizer: Tokenizer, training: StudySet, batches: BatchSource
) -> Objective:
    tokenize = SentenceTokenizer(tokenizer, recipe.cleaning, recipe.network.text.max_word_pieces)
    if isinstance(recipe, FindingsRecipe):
        return FindingsObjective(network, tokenize, find_labels(training.studies), recipe.optimiser.precision)
    data = recipe.data
    watched = PhantomDataset(data.seed, "validation", min(data.validation_patients, _WATCHED_PATIENTS))
    objective = ContrastiveObjective(network, tokenize, recipe, watched)
    objective.start_attention(next(batches.training(recipe.seed, recipe.augment)))
    return objective


def _tokenizer(recipe: Recipe, training: StudySet, start: Path | None) -> Tokenizer:
    """The tokenizer of the first weights, if there are any: their rows belong to its pieces."""
    if start is not None:
        return load_checkpoint(start).tokenizer
    return build_tokenizer(training.studies, recipe.cleaning, recipe.network.text.vocab_size)


def _start(recipe: AnyRecipe, work: Path) -> Path | None:
    """The best checkpoint of the recipe to start from; that is run first unless it ran to its end as it reads now."""
    if not isinstance(recipe, ContrastiveRecipe) or recipe.start_from is None:
        return None
    before = load_recipe(REPOSITORY / recipe.start_from)
    folder = work / before.name
    finished = folder / _FINISHED
    if not finished.exists() or finished.read_text(encoding="utf-8") != _identity(before):
        train(before, work)
    return folder / "best"


def _identity(recipe: Recipe) -> str:
    """Equal for runs that give the same weights."""
    return f"phantom generator {GENERATOR_VERSION}\n{recipe.model_dump_json(indent=1)}\n"


def _studies(recipe: Recipe, split: str, work: Path) -> StudySet:
    data, learned = recipe.data, split == "train"
    patients = data.patients if learned else data.validation_patients
    return load_studies(
        PhantomDataset(data.seed, split, patients),  # type: ignore[arg-type]
        side=recipe.preprocess.longer_side,
        stretch=recipe.preprocess.stretch,
        mirrored=data.mirrored and learned,
        cache=work / "renderings",
    )


def _batches(recipe: Recipe, studies: StudySet) -> BatchSource:
    data = recipe.data
    return BatchSource(studies, recipe.preprocess, recipe.schedule.batch, data.abnormal_share)


def _save(recipe: Recipe, network: AlignmentNetwork, tokenizer: Tokenizer, folder: Path) -> None:
    save_checkpoint(
        folder,
        network,
        tokenizer,
        preprocess=recipe.preprocess,
        cleaning=recipe.cleaning,
        version=recipe.version,
    )
