"""What a recipe starts from: whom its earlier stages know, and what a card may say of them."""

from pathlib import Path

import pytest
import yaml

from harness.dataset.phantom import PhantomDataset
from harness.settings import ConfigError
from tests.harness_fakes import write_jsonl
from tests.unit.training.test_training_run import RECIPE
from training.config import ContrastiveRecipe, load_recipe
from training.stages import (
    REPOSITORY,
    SCHEMAS,
    check_earlier_stages_apart,
    has_seen_phantoms_alone,
    identity,
    model_to_start_from,
    recipe_before,
)

CONFIGS = Path(__file__).parents[3] / "training" / "configs"
REPORTS = {"dataset": {"kind": "jsonl", "path": "data.jsonl"}, "validation_share": 0.5}


def chain(folder: Path, **first: object) -> ContrastiveRecipe:
    """A recipe that starts from one that starts from another."""
    for name, start, changes in (("first", None, first), ("second", "first", {})):
        document = {
            **RECIPE,
            "kind": "contrastive",
            "name": name,
            "start_from": start and str(folder / f"{start}.yaml"),
        }
        (folder / f"{name}.yaml").write_text(yaml.safe_dump({**document, **changes}))
    return ContrastiveRecipe.model_validate({**RECIPE, "start_from": str(folder / "second.yaml")})


def test_a_test_patient_that_an_earlier_stage_has_learned_from_is_an_error(tmp_path: Path) -> None:
    learned = {record.patient_id for record in PhantomDataset(0, "train", 6)}
    recipe = chain(tmp_path)
    check_earlier_stages_apart(recipe, {"somebody else"})
    with pytest.raises(ConfigError, match=r"1 patients of data\.test are also learned from"):
        check_earlier_stages_apart(recipe, {learned.pop(), "somebody else"})


def test_recipes_that_start_from_each_other_are_told(tmp_path: Path) -> None:
    recipe = chain(tmp_path, start_from=str(tmp_path / "second.yaml"))
    with pytest.raises(ConfigError, match=r"second\.yaml → .*first\.yaml → .*second\.yaml; remove one"):
        check_earlier_stages_apart(recipe, set())


def test_a_card_says_phantoms_alone_only_where_every_stage_is_known_to_be(tmp_path: Path) -> None:
    assert has_seen_phantoms_alone(load_recipe(CONFIGS / "wronglung-1.yaml"))
    assert has_seen_phantoms_alone(load_recipe(CONFIGS / "encoder.yaml"))
    assert has_seen_phantoms_alone(chain(tmp_path))
    assert not has_seen_phantoms_alone(chain(tmp_path, data=REPORTS))


def test_of_a_model_s_folder_nobody_knows_what_it_has_seen() -> None:
    recipe = load_recipe(CONFIGS / "encoder-few-shot.yaml")
    assert model_to_start_from(recipe) is not None
    assert recipe_before(recipe, None) is None
    assert not has_seen_phantoms_alone(recipe)


def test_a_folder_that_is_no_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"start_from: .* is not the folder of a model: .* no config\.json"):
        model_to_start_from(starting_from(str(tmp_path)))


def starting_from(named: str) -> ContrastiveRecipe:
    return ContrastiveRecipe.model_validate({**RECIPE, "start_from": named})


def test_a_recipe_starts_from_what_lies_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("mine", "model"):
        (tmp_path / name).mkdir()
    (tmp_path / "model" / "config.json").touch()
    chain(tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    before = recipe_before(starting_from("mine/first.yaml"), None)
    assert before is not None
    assert before.name == "first"
    assert model_to_start_from(starting_from("model")) == tmp_path / "model"


def test_what_lies_in_the_current_folder_comes_before_what_is_called_so_in_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "model_store" / "encoder"
    model.mkdir(parents=True)
    (model / "config.json").touch()
    monkeypatch.chdir(tmp_path)
    assert model_to_start_from(starting_from("model_store/encoder")) == model


SHIPPED = [path for path in sorted(CONFIGS.rglob("*.yaml")) if getattr(load_recipe(path), "start_from", None)]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_recipe_is_the_same_run_from_any_folder(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(REPOSITORY)
    at_home = identity(load_recipe(path), None)
    assert "first weights" in at_home
    monkeypatch.chdir(tmp_path)
    assert identity(load_recipe(path), None) == at_home


def test_a_raised_schema_makes_another_run_of_its_kind_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    later, few = chain(tmp_path), load_recipe(CONFIGS / "encoder-few-shot.yaml")
    once = identity(later, None), identity(few, None)
    assert "\nschema" not in once[0]  # as it was before there were any
    monkeypatch.setitem(SCHEMAS, "contrastive", 2)
    assert identity(later, None) != once[0]
    assert identity(later, None).count("\nschema 2\n") == 3  # so that stages before are run anew too
    assert identity(few, None) == once[1]


def test_what_is_nowhere_is_told_with_both_places_and_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for ask in (model_to_start_from, lambda recipe: recipe_before(recipe, None)):
        with pytest.raises(ConfigError, match=r"start_from: .*first\.yaml") as told:
            ask(starting_from("mine/first.yaml"))
        assert str(tmp_path / "mine" / "first.yaml") in str(told.value)
        assert str(REPOSITORY / "mine" / "first.yaml") in str(told.value)
    absent = tmp_path / "absent"
    with pytest.raises(ConfigError, match="start_from: ") as told:
        model_to_start_from(starting_from(str(absent)))
    assert str(told.value).count(str(absent)) == 1  # an absolute path is one place


def test_reports_that_are_read_by_another_rule_make_another_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = {"kind": "jsonl", "path": str(write_jsonl(tmp_path, 12))}
    filed = ContrastiveRecipe.model_validate({**RECIPE, "data": {"dataset": reports, "validation_share": 0.5}})
    phantoms = ContrastiveRecipe.model_validate(RECIPE)
    once = identity(filed, None), identity(phantoms, None)
    monkeypatch.setattr("training.stages.REPORTS_VERSION", 1000)
    assert identity(filed, None) != once[0]
    assert identity(phantoms, None) == once[1]
