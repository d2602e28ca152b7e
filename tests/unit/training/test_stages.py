"""What a recipe starts from: whom its earlier stages know, and what a card may say of them."""

from pathlib import Path

import pytest
import yaml

from harness.dataset.phantom import PhantomDataset
from harness.settings import ConfigError
from tests.unit.training.test_training_run import RECIPE
from training.config import ContrastiveRecipe, load_recipe
from training.stages import (
    check_earlier_stages_apart,
    has_seen_phantoms_alone,
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
