"""A whole training run: data, tokenizer, training, evaluation on test patients, the model's folder."""

import shutil
from collections.abc import Set
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from tokenizers import Tokenizer

from harness.settings import ConfigError
from training.cache import load_studies
from training.config import (
    AnyRecipe,
    FewShotRecipe,
    ModelRecipe,
    Recipe,
)
from training.contrastive import ContrastiveObjective
from training.dataconfig import AnyData, FiledData
from training.devices import Devices
from training.evaluation import evaluate
from training.kinds import make_batches, make_objective, training_shots
from training.logs import check_logs
from training.objective import Objective
from training.pictures import Darkroom
from training.publish import Measured, publish
from training.setup import as_in_checkpoint, first_network
from training.sources import Source, Sources, check_apart, open_sources, open_tested, patients
from training.stages import (
    check_earlier_stages_apart,
    has_seen_phantoms_alone,
    identity,
    model_to_start_from,
    recipe_before,
    start_digest,
)
from training.state import STATE_FILE
from training.studies import StudySet
from training.trainer import Batches, Progress, Trainer
from training.vocabulary import build_tokenizer
from wronglung.model.architecture import AnyArchitecture
from wronglung.model.checkpoint import load_checkpoint, save_checkpoint
from wronglung.model.config import AnyNetworkConfig
from wronglung.model.engine import load_model

_FINISHED = "finished.txt"
"""Left in a run's folder at its end: which recipe gave the checkpoint."""


class _Trained(NamedTuple):
    """What training gave, beside the files in its folder."""

    folder: Path
    progress: Progress
    parameters: int
    studies: int
    network: AnyNetworkConfig
    shots: tuple[str, ...]
    """Ids of the sentences of few-shot finetuning."""
    start_digest: str | None
    """SHA-256 of the weights of the model that `start_from` names by its folder."""


class Workplace(NamedTuple):
    """Where a run computes and keeps its files."""

    folder: Path
    """For pictures (shared between runs), logs, checkpoints and states."""
    devices: Devices
    resume: bool = False
    """Go on where a run of the same recipe stopped, if there is one."""
    seed: int | None = None
    """Of the recipes that others start from, in place of their own; their runs are then named for it."""


def train_and_publish(recipe: ModelRecipe, source: str, output: Path, work: Workplace) -> None:
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
        network=trained.network,
        shots=trained.shots,
        start_digest=trained.start_digest,
        phantoms_alone=has_seen_phantoms_alone(recipe),
        outcomes=None if tested is None else evaluate(model, tested).outcomes(),
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
    check_earlier_stages_apart(recipe, untouched)
    sources = open_sources(recipe.data)
    _check_patients(recipe.data, sources, untouched)
    start = _start(recipe, work)
    if isinstance(recipe, FewShotRecipe):
        assert start is not None  # it must name one
        recipe = as_in_checkpoint(recipe, start)
    torch.set_num_threads(recipe.threads)
    training, validation = _studies(recipe, sources, work)
    tokenizer = _tokenizer(recipe, training, start)
    network = first_network(recipe, tokenizer, start).to(work.devices.device)
    batches = make_batches(recipe, training, validation)
    objective = make_objective(recipe, network, tokenizer, training, batches, sources.validation.dataset)
    _begin(objective, batches, recipe, work.devices)
    work.devices.reseed(recipe.seed)
    folder, save = work.folder / recipe.name, partial(_save, recipe, network, tokenizer)
    trainer = Trainer(recipe, network, objective, batches, save, folder, work.devices)
    progress = _run(trainer, recipe, folder, work)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    shots, digest = _shot_ids(recipe, training), start_digest(recipe)
    return _Trained(folder, progress, parameters, len(training.studies), recipe.network, shots, digest)


def _run(trainer: Trainer[Any], recipe: AnyRecipe, folder: Path, work: Workplace) -> Progress:
    """Train from the beginning, or from where a run of the same recipe stopped, and say in the folder that it ended.

    Raises:
        ConfigError: the state is another run's, or no checkpoint was kept.
    """
    devices, run_identity = work.devices, identity(recipe, work.seed)
    if devices.is_first:
        _forget(folder, state=not work.resume)
    if work.resume and (step := trainer.resume(run_identity)):
        devices.tell(f"{recipe.name} goes on after step {step}\n")
    progress = trainer.run(run_identity)
    if not progress.best_step:
        raise ConfigError(
            f"{recipe.name} ended after step {progress.step} without a look that had a finite validation loss: lower"
            " optimiser.learning_rate, or look at the validation data"
        )
    if devices.is_first:
        (folder / _FINISHED).write_text(run_identity, encoding="utf-8")
    return progress


def _forget(folder: Path, *, state: bool) -> None:
    """A run that begins is not finished, and unless it goes on nothing is left to go on from."""
    for name in (_FINISHED, *([STATE_FILE] if state else [])):
        (folder / name).unlink(missing_ok=True)
    if not (folder / STATE_FILE).exists():
        shutil.rmtree(folder / "best", ignore_errors=True)  # nobody may take it for what this run gave


def _shot_ids(recipe: AnyRecipe, training: StudySet) -> tuple[str, ...]:
    if not isinstance(recipe, FewShotRecipe):
        return ()
    return tuple(shot.sentence.sentence_id for shot in training_shots(recipe, training))


def _begin(objective: Objective[Any], batches: Batches[Any], recipe: Recipe, devices: Devices) -> None:
    """Let an objective look at the first batch; all processes at the same one."""
    if isinstance(objective, ContrastiveObjective):
        objective.start_attention(devices.place(next(batches.training(np.random.default_rng(recipe.seed)))))


def _tokenizer(recipe: AnyRecipe, training: StudySet, start: Path | None) -> Tokenizer:
    """The tokenizer of the first weights, if there are any: their rows belong to its pieces."""
    if start is not None:
        return load_checkpoint(start).tokenizer
    return build_tokenizer(training.studies, recipe.cleaning, recipe.network.text.vocab_size)


def _start(recipe: AnyRecipe, work: Workplace) -> Path | None:
    """The model to start from, or the best checkpoint of the recipe to start from; that is run first unless it ran to
    its end as it reads now."""
    before = recipe_before(recipe, work.seed)
    if before is None:
        return model_to_start_from(recipe)
    folder = work.folder / before.name
    finished = folder / _FINISHED
    is_finished = finished.exists() and finished.read_text(encoding="utf-8") == identity(before, work.seed)
    if not all(work.devices.everyone(is_finished)):
        train(before, work)
    return folder / "best"


def _studies(recipe: Recipe, sources: Sources, work: Workplace) -> tuple[StudySet, StudySet]:
    """What is learned from, and what is looked at meanwhile; only the first is mirrored."""

    def load(source: Source, mirrored: bool) -> StudySet:
        darkroom = Darkroom(recipe.preprocess.longer_side, recipe.preprocess.stretch, mirrored)
        return load_studies(source, darkroom, work.folder / "renderings", tell=work.devices.tell)

    with work.devices.first_before_others():
        return load(sources.training, recipe.data.mirrored), load(sources.validation, False)


def _check_patients(data: AnyData, sources: Sources, tested: Set[str]) -> None:
    """Raise ConfigError unless no patient is in two sets.

    Asked of the records, before any picture is read: what is developed of them can only be of fewer patients.
    """
    learned, held_out = patients(sources.training.dataset), patients(sources.validation.dataset)
    check_apart(learned, held_out, "data.validation")
    if isinstance(data, FiledData) and data.validation is not None:
        check_apart(learned, tested, "data.test")
        check_apart(held_out, tested, "data.test", "data.validation")
    else:
        check_apart(learned | held_out, tested, "data.test")


def _save(recipe: Recipe, network: AnyArchitecture, tokenizer: Tokenizer, folder: Path) -> None:
    save_checkpoint(
        folder,
        network,
        tokenizer,
        preprocess=recipe.preprocess,
        cleaning=recipe.cleaning,
        version=recipe.version,
    )
