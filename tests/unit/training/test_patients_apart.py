"""A patient who is learned from is in no test data; that is found out before a picture is read or a step is taken."""

from pathlib import Path

import pytest
import yaml

from harness.dataset.phantom import PhantomDataset
from harness.settings import ConfigError
from tests.harness_fakes import write_jsonl
from tests.unit.training.test_training_run import RECIPE, at, recipe
from training.run import train, train_and_publish


def first_stage(folder: Path, **changes: object) -> str:
    path = folder / "first.yaml"
    path.write_text(yaml.safe_dump({**RECIPE, "kind": "findings", "name": "first", **changes}))
    return str(path)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Where pictures, checkpoints and logs would come to lie."""
    return tmp_path / "work"


def test_test_data_that_are_learned_from_are_refused_before_anything_is_done(tmp_path: Path, work: Path) -> None:
    reports = {"kind": "jsonl", "path": str(write_jsonl(tmp_path, 12))}
    chosen = recipe(
        data={"dataset": reports, "validation_share": 0.5, "test": reports}, start_from=first_stage(tmp_path)
    )
    with pytest.raises(ConfigError, match=r"6 patients of data\.test are also learned from"):
        train_and_publish(chosen, "mine.yaml", tmp_path / "model", at(work))
    assert not work.exists()


def test_so_are_validation_data_that_are_learned_from(tmp_path: Path, work: Path) -> None:
    reports = {"kind": "jsonl", "path": str(write_jsonl(tmp_path, 12))}
    chosen = recipe(data={"dataset": reports, "validation": reports}, start_from=first_stage(tmp_path))
    with pytest.raises(ConfigError, match=r"6 patients of data\.validation are also learned from"):
        train(chosen, at(work))
    assert not work.exists()


def test_test_data_that_choose_the_checkpoint_are_told_by_the_key_that_can_leave_them_out(
    tmp_path: Path, work: Path
) -> None:
    lines = write_jsonl(tmp_path, 12).read_text().splitlines(keepends=True)
    learned, others = tmp_path / "learned.jsonl", tmp_path / "others.jsonl"
    learned.write_text("".join(lines[:12]))
    others.write_text("".join(lines[12:]))
    reports = {"kind": "jsonl", "path": str(others)}
    data = {"dataset": {"kind": "jsonl", "path": str(learned)}, "validation": reports, "test": reports}
    told = r"3 patients of data\.test are also in data\.validation, .* as data\.validation\.finetuned_patients"
    with pytest.raises(ConfigError, match=told):
        train_and_publish(recipe(data=data), "mine.yaml", tmp_path / "model", at(work))
    assert not work.exists()


@pytest.mark.parametrize("split", ["train", "validation"])
def test_so_are_phantoms_of_the_test_data_that_this_recipe_or_one_before_it_learns_from(
    split: str, tmp_path: Path, work: Path
) -> None:
    known = {record.patient_id for record in PhantomDataset(0, split, 6)}  # type: ignore[arg-type]
    other = {**RECIPE["data"], "seed": 1}  # type: ignore[dict-item]
    own, before = (
        recipe(start_from=first_stage(tmp_path, data=other)),
        recipe(data=other, start_from=first_stage(tmp_path)),
    )
    for chosen in (own, before):
        with pytest.raises(ConfigError, match=r"1 patients of data\.test are also learned from"):
            train(chosen, at(work), untouched={min(known), "somebody else"})
    assert not work.exists()
