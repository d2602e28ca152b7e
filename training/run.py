"""A whole training run: data, tokenizer, training, evaluation on test patients, the model's folder."""

import hashlib
from collections.abc import Set
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from tokenizers import Tokenizer

from harness.dataset.base import Dataset
from harness.dataset.phantom import GENERATOR_VERSION
from training.batches import Batch, BatchSource
from training.cache import load_studies
from training.config import AnyRecipe, ContrastiveRecipe, FindingsRecipe, Recipe, load_recipe
from training.contrastive import ContrastiveObjective
from training.dataconfig import PhantomData
from training.devices import Devices
from training.draws import make_draw
from training.evaluation import evaluate
from training.findings import FindingsObjective, find_labels
from training.logs import check_logs
from training.masking import make_rewrite
from training.objective import Objective
from training.pictures import Darkroom
from training.publish import Measured, publish
from training.setup import first_network
from training.sources import Source, Sources, check_apart, first_patients, open_sources, open_tested, patients
from training.studies import StudySet
from training.trainer import Batches, Progress, Trainer
from training.vocabulary import build_tokenizer
from wronglung.model.checkpoint import load_checkpoint, save_checkpoint
from wronglung.model.engine import load_model
from wronglung.model.network import AlignmentNetwork
from wronglung.model.text import SentenceTokenizer

REPOSITORY = Path(__file__).resolve().parents[1]
_WATCHED_PATIENTS = 50
_VALIDATION_ROUNDS = 3
_FINISHED = "finished.txt"
"""Left in a run's folder at its end: which recipe gave the checkpoint."""


class _Trained(NamedTuple):
    """What training gave, beside the files in its folder."""

    folder: Path
    progress: Progress
    parameters: int
    studies: int


class Workplace(NamedTuple):
    """Where a run computes and keeps its files."""

    folder: Path
    """For pictures (shared between runs), logs, checkpoints and states."""
    devices: Devices
    resume: bool = False
    """Go on where a run of the same recipe stopped, if there is one."""


def train_and_publish(recipe: ContrastiveRecipe, source: str, output: Path, work: Workplace) -> None:
    """Run a recipe from pictures to card, and before it the recipe that it starts from if that has not been run.

    Args:
        recipe: the recipe.
        source: where it came from, for the card.
        output: the model's folder; its model files are replaced.
        work: where to compute.

    Raises:
        ConfigError: as `train`.
    """
    tested = open_tested(recipe.data)
    trained = train(recipe, work, untouched=set() if tested is None else patients(tested))
    if not work.devices.is_first:
        return
    model = load_model(trained.folder / "best", str(work.devices.device))
    measured = Measured(
        progress=trained.progress,
        computed_on=str(work.devices),
        parameters=trained.parameters,
        training_studies=trained.studies,
        test_studies=0 if tested is None else len(tested),
        outcomes=None if tested is None else evaluate(model, tested),
    )
    publish(trained.folder, output, recipe, source, measured)


def train(recipe: AnyRecipe, work: Workplace, untouched: Set[str] = frozenset()) -> _Trained:
    """Run a recipe without publishing; log and best checkpoint are then in ``work.folder / recipe.name``.

    Args:
        recipe: the recipe.
        work: where to compute.
        untouched: patients of the test data.

    Raises:
        ConfigError: there is nothing to read, a patient is in two of training, validation and test, a package for the
            logs is missing, or the state to go on from is another run's.
    """
    check_logs(recipe.logs)
    start, devices = _start(recipe, work), work.devices
    torch.set_num_threads(recipe.threads)
    sources = open_sources(recipe.data)
    training, validation = _studies(recipe, sources, work)
    _check_patients(training, validation, untouched)
    folder, identity = work.folder / recipe.name, _identity(recipe)
    tokenizer = _tokenizer(recipe, training, start)
    network = first_network(recipe, tokenizer, start).to(devices.device)
    batches = _batches(recipe, training, validation)
    objective = _objective(recipe, network, tokenizer, training, sources.validation.dataset)
    _begin(objective, batches, recipe, devices)
    devices.reseed(recipe.seed)
    save = partial(_save, recipe, network, tokenizer)
    trainer = Trainer(recipe, network, objective, batches, save, folder, devices)
    if work.resume and (step := trainer.resume(identity)):
        devices.tell(f"{recipe.name} goes on after step {step}\n")
    progress = trainer.run(identity)
    if devices.is_first:
        (folder / _FINISHED).write_text(identity, encoding="utf-8")
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return _Trained(folder, progress, parameters, len(training.studies))


def _begin(objective: Objective[Batch], batches: Batches[Batch], recipe: Recipe, devices: Devices) -> None:
    """Let an objective look at the first batch; all processes at the same one."""
    if isinstance(objective, ContrastiveObjective):
        objective.start_attention(devices.place(next(batches.training(np.random.default_rng(recipe.seed)))))


def _objective(
    recipe: AnyRecipe, network: AlignmentNetwork, tokenizer: Tokenizer, training: StudySet, validation: Dataset
) -> Objective[Batch]:
    tokenize = SentenceTokenizer(tokenizer, recipe.cleaning, recipe.network.text.max_word_pieces)
    if isinstance(recipe, FindingsRecipe):
        return FindingsObjective(network, tokenize, find_labels(training.studies), recipe)
    return ContrastiveObjective(network, tokenize, recipe, first_patients(validation, _WATCHED_PATIENTS))


def _tokenizer(recipe: Recipe, training: StudySet, start: Path | None) -> Tokenizer:
    """The tokenizer of the first weights, if there are any: their rows belong to its pieces."""
    if start is not None:
        return load_checkpoint(start).tokenizer
    return build_tokenizer(training.studies, recipe.cleaning, recipe.network.text.vocab_size)


def _start(recipe: AnyRecipe, work: Workplace) -> Path | None:
    """The best checkpoint of the recipe to start from; that is run first unless it ran to its end as it reads now."""
    if not isinstance(recipe, ContrastiveRecipe) or recipe.start_from is None:
        return None
    before = load_recipe(REPOSITORY / recipe.start_from)
    folder = work.folder / before.name
    finished = folder / _FINISHED
    is_finished = finished.exists() and finished.read_text(encoding="utf-8") == _identity(before)
    if not all(work.devices.everyone(is_finished)):
        train(before, work)
    return folder / "best"


def _identity(recipe: Recipe) -> str:
    """Equal for runs that give the same weights."""
    said = recipe.model_dump_json(indent=1, exclude_defaults=True)  # a new option does not make an old run another
    if isinstance(recipe.data, PhantomData):
        return f"phantom generator {GENERATOR_VERSION}\n{said}\n"
    data = hashlib.sha256("\n".join(source.identity for source in open_sources(recipe.data)).encode()).hexdigest()
    return f"data {data}\n{said}\n"


def _studies(recipe: Recipe, sources: Sources, work: Workplace) -> tuple[StudySet, StudySet]:
    """What is learned from, and what is looked at meanwhile; only the first is mirrored."""

    def load(source: Source, mirrored: bool) -> StudySet:
        darkroom = Darkroom(recipe.preprocess.longer_side, recipe.preprocess.stretch, mirrored)
        return load_studies(source, darkroom, work.folder / "renderings", tell=work.devices.tell)

    with work.devices.first_before_others():
        return load(sources.training, recipe.data.mirrored), load(sources.validation, False)


def _check_patients(training: StudySet, validation: StudySet, tested: Set[str]) -> None:
    """Raise ConfigError unless no patient is in two sets."""
    learned, held_out = ({study.patient_id for study in part.studies} for part in (training, validation))
    check_apart(learned, held_out, "data.validation")
    check_apart(learned | held_out, tested, "data.test")


def _batches(recipe: Recipe, training: StudySet, validation: StudySet) -> Batches[Batch]:
    learned, held_out = (_source(recipe, part) for part in (training, validation))
    return Batches(
        partial(learned.training, augment=recipe.augment),
        partial(held_out.validation, recipe.seed, _VALIDATION_ROUNDS),
    )


def _source(recipe: Recipe, studies: StudySet) -> BatchSource:
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
