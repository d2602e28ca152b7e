"""A run that was killed goes on, and ends with the bytes of one that was never disturbed."""

from pathlib import Path
from typing import Any

import pytest
import torch

from harness.case import Sentence
from harness.settings import ConfigError
from tests.unit.training.test_training_run import RECIPE, at
from training.config import AnyRecipe, RecipeFile
from training.logs import LOG_FILE
from training.run import train
from training.setup import first_network
from training.state import STATE_FILE
from training.studies import Study
from training.trainer import Trainer
from training.vocabulary import build_tokenizer
from wronglung.model.checkpoint import save_checkpoint

SCHEDULE = {"steps": 9, "batch": 4, "evaluate_every": 2}
DATA = {"patients": 10, "validation_patients": 6, "mirrored": True}


class Killed(BaseException):
    """Ends a run where nothing catches it."""


GROUNDER = {
    "architecture": "grounder",
    "image": {**RECIPE["network"]["image"], "input_size": 64},  # type: ignore[index]
    "regions": {"hidden_size": 8, "layers": 1, "heads": 2, "intermediate_size": 8},
    "text": {"hidden_size": 8, "layers": 1, "heads": 2, "intermediate_size": 8, "vocab_size": 600},
    "embedding_size": 8,
}


def recipe(kind: str, **changes: object) -> AnyRecipe:
    network = GROUNDER if kind == "grounding" else RECIPE["network"]
    document = {**RECIPE, "kind": kind, "name": kind, "network": network, "data": DATA, "schedule": SCHEDULE}
    return RecipeFile.model_validate({**document, **changes}).root


def few_shot_recipe(folder: Path) -> AnyRecipe:
    """Ten shots, so that a pass takes three batches and looks fall within it, from a model with random weights."""
    start = recipe("contrastive")
    words = Study("p", (Sentence("s", "There is a nodule in the left lung.", ()),), frozenset(), (0, 0, 1, 1))
    tokenizer = build_tokenizer([words], start.cleaning, 600)
    network = first_network(start, tokenizer, None)
    save_checkpoint(
        folder, network, tokenizer, preprocess=start.preprocess, cleaning=start.cleaning, version=start.version
    )
    document = {key: value for key, value in RECIPE.items() if key != "network"}
    few = {"kind": "few_shot", "name": "few_shot", "start_from": str(folder), "shots": 10, "held_out": 4}
    return RecipeFile.model_validate({**document, **few, "data": DATA, "schedule": SCHEDULE}).root


def run_until(
    step: int, work: Path, chosen: AnyRecipe, monkeypatch: pytest.MonkeyPatch, *, resume: bool = True
) -> None:
    """Start or go on with a run that is killed within a step."""
    real = Trainer._step

    def dies(self: Trainer[Any], batch: Any) -> float:
        if self._progress.step == step:
            raise Killed
        return real(self, batch)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_step", dies)
        with pytest.raises(Killed):
            train(chosen, at(work, resume=resume))


def files(work: Path, name: str) -> dict[str, bytes]:
    """What a run leaves, but for the times in its log."""
    paths = [p for p in sorted((work / name).rglob("*")) if p.is_file() and p.name not in (LOG_FILE, STATE_FILE)]
    found = {str(path.relative_to(work)): path.read_bytes() for path in paths}
    rows = [line.split(",") for line in (work / name / LOG_FILE).read_text().splitlines()]
    return {**found, LOG_FILE: repr([[row[0], *row[2:]] for row in rows]).encode()}


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


@pytest.mark.parametrize("kind", ["findings", "contrastive", "grounding", "few_shot"])
def test_a_killed_run_ends_with_the_same_bytes(
    kind: str, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = few_shot_recipe(tmp_path / "start") if kind == "few_shot" else recipe(kind)
    undisturbed = train(chosen, at(work)).progress
    expected = files(work, kind)
    for path in (work / kind).rglob("*.*"):
        path.unlink()
    for step in (1, 4, 8):  # before the first look, between two looks, and at one that is not finished
        run_until(step, work, chosen, monkeypatch)
        torch.rand(3)  # whatever happens in between
    resumed = train(chosen, at(work, resume=True)).progress
    assert files(work, kind) == expected
    assert (resumed.best_loss, resumed.best_step) == (undisturbed.best_loss, undisturbed.best_step)


def test_a_finished_run_is_not_trained_again(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = recipe("findings", name="short", schedule={**SCHEDULE, "steps": 4})
    train(chosen, at(work))
    monkeypatch.setattr(Trainer, "_step", None)
    assert train(chosen, at(work, resume=True)).progress.step == 4


def test_a_run_that_lost_its_patience_stays_where_it_is(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rate = {"learning_rate": 1e-9}  # nothing is gained, so the run stops early
    chosen = recipe("findings", name="patient", schedule={**SCHEDULE, "patience": 1}, optimiser=rate)
    stopped = train(chosen, at(work)).progress.step
    assert stopped < SCHEDULE["steps"]
    monkeypatch.setattr(Trainer, "_step", None)
    assert train(chosen, at(work, resume=True)).progress.step == stopped


def test_a_run_that_begins_anew_is_neither_finished_nor_to_be_gone_on_with(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = recipe("findings", name="again", schedule={**SCHEDULE, "steps": 4})
    train(chosen, at(work))
    run_until(1, work, chosen, monkeypatch, resume=False)
    assert not (work / "again" / "finished.txt").exists()
    assert not (work / "again" / STATE_FILE).exists()


def test_another_recipe_does_not_go_on(work: Path) -> None:
    train(recipe("findings", name="changed"), at(work))
    with pytest.raises(ConfigError, match="another recipe or other data: start anew without --resume"):
        train(recipe("findings", name="changed", seed=1), at(work, resume=True))


def test_a_damaged_state_is_refused(work: Path) -> None:
    chosen = recipe("findings", name="damaged", schedule={**SCHEDULE, "steps": 2})
    train(chosen, at(work))
    state = work / "damaged" / STATE_FILE
    for damaged in (state.read_bytes()[:50], b""):
        state.write_bytes(damaged)
        with pytest.raises(ConfigError, match=r"cannot be read .*: start anew without --resume"):
            train(chosen, at(work, resume=True))
