"""A whole training run: data, tokenizer, training, evaluation on test patients, the model's folder."""

import time
from collections.abc import Set
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from tokenizers import Tokenizer

from harness.dataset.base import Dataset
from harness.dataset.phantom import GENERATOR_VERSION
from harness.settings import ConfigError
from training.batches import BatchSource
from training.cache import load_studies
from training.config import AnyRecipe, ContrastiveRecipe, FindingsRecipe, Recipe, load_recipe
from training.contrastive import ContrastiveObjective
from training.draws import make_draw
from training.evaluation import evaluate
from training.findings import FindingsObjective, find_labels
from training.masking import make_rewrite
from training.objective import Objective
from training.pictures import Darkroom
from training.publish import Measured, publish
from training.setup import first_network
from training.sources import Source, Sources, check_apart, first_patients, open_sources, open_tested, patients
from training.studies import StudySet
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
    tested = open_tested(recipe.data)
    trained = train(recipe, work, untouched=set() if tested is None else patients(tested))
    measured = Measured(
        seconds=trained.seconds,
        progress=trained.progress,
        parameters=trained.parameters,
        training_studies=trained.studies,
        test_studies=0 if tested is None else len(tested),
        outcomes=None if tested is None else evaluate(load_model(trained.folder / "best"), tested),
    )
    publish(trained.folder, output, recipe, source, measured)


def train(recipe: AnyRecipe, work: Path, untouched: Set[str] = frozenset()) -> _Trained:
    """Run a recipe without publishing; log and best checkpoint are then in ``work / recipe.name``.

    Args:
        recipe: the recipe.
        work: folder for renderings, logs and checkpoints.
        untouched: patients of the test data.

    Raises:
        ConfigError: there is nothing to read, or a patient is in two of training, validation and test.
    """
    start = _start(recipe, work)
    torch.set_num_threads(recipe.threads)
    sources = open_sources(recipe.data)
    training, validation = _studies(recipe, sources, work)
    _check_patients(recipe, training, validation, untouched)
    started, folder = time.monotonic(), work / recipe.name
    (folder / _FINISHED).unlink(missing_ok=True)
    tokenizer = _tokenizer(recipe, training, start)
    network = first_network(recipe, tokenizer, start)
    batches = _batches(recipe, training)
    trainer = Trainer(
        recipe,
        network,
        _objective(recipe, network, tokenizer, training, batches, sources.validation.dataset),
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
    recipe: AnyRecipe,
    network: AlignmentNetwork,
    tokenizer: Tokenizer,
    training: StudySet,
    batches: BatchSource,
    validation: Dataset,
) -> Objective:
    tokenize = SentenceTokenizer(tokenizer, recipe.cleaning, recipe.network.text.max_word_pieces)
    if isinstance(recipe, FindingsRecipe):
        return FindingsObjective(network, tokenize, find_labels(training.studies), recipe)
    objective = ContrastiveObjective(network, tokenize, recipe, first_patients(validation, _WATCHED_PATIENTS))
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
    said = recipe.model_dump_json(indent=1, exclude_defaults=True)  # a new option does not make an old run another
    return f"phantom generator {GENERATOR_VERSION}\n{said}\n"


def _studies(recipe: Recipe, sources: Sources, work: Path) -> tuple[StudySet, StudySet]:
    """What is learned from, and what is looked at meanwhile; only the first is mirrored."""

    def load(source: Source, mirrored: bool) -> StudySet:
        darkroom = Darkroom(recipe.preprocess.longer_side, recipe.preprocess.stretch, mirrored)
        return load_studies(source, darkroom, work / "renderings")

    return load(sources.training, recipe.data.mirrored), load(sources.validation, False)


def _check_patients(recipe: Recipe, training: StudySet, validation: StudySet, tested: Set[str]) -> None:
    """Raise ConfigError unless no patient is in two sets and there are enough for a batch."""
    learned, held_out = ({study.patient_id for study in part.studies} for part in (training, validation))
    check_apart(learned, held_out, "data.validation")
    check_apart(learned | held_out, tested, "data.test")
    if recipe.schedule.batch > (fewest := min(len(learned), len(held_out))):
        raise ConfigError(
            f"schedule.batch ({recipe.schedule.batch}) takes one study per patient; there are only {fewest} patients"
            f" ({len(learned)} for training, {len(held_out)} for validation)"
        )


def _batches(recipe: Recipe, studies: StudySet) -> BatchSource:
    draw = make_draw(recipe.sentences, recipe.data.abnormal_share, studies.studies)
    rewrite = make_rewrite(recipe.sentences.masking, recipe.cleaning)
    return BatchSource(studies, recipe.preprocess, recipe.schedule.batch, draw, rewrite)


def _save(recipe: Recipe, network: AlignmentNetwork, tokenizer: Tokenizer, folder: Path) -> None:
    save_checkpoint(
        folder,
        network,
        tokenizer,
        preprocess=recipe.preprocess,
        cleaning=recipe.cleaning,
        version=recipe.version,
    )
