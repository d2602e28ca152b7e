"""What is named as shipped is in the repository, whole and small: git ignores every other model of the store."""

import re
from pathlib import Path

import pytest
import yaml

from tests import repository
from training.cardtext import notes
from training.config import FindingsRecipe, load_recipe

TRACKED = repository.tracked()
SHIPPED = sorted({path.parts[1] for path in TRACKED if path.parts[0] == "model_store"})
FILES = {
    "CARD.md",
    "config.json",
    "model-config.yaml",
    "tokenizer/tokenizer.json",
    "training-log.csv",
    "weights.safetensors",
}
RUNS = [path for path in TRACKED if path.parent == Path("harness/runs") and path.name != "maps_elsewhere.yaml"]
SERVES = [
    Path("Makefile"),
    Path("Dockerfile"),
    Path("deploy/compose/compose.yaml"),
    Path("deploy/compose/secured.yaml"),
    Path("deploy/kubernetes/base/server-deployment.yaml"),
]
MOST_BYTES = 6_000_000


@pytest.mark.parametrize("model", SHIPPED)
def test_a_shipped_model_is_whole_and_small(model: str) -> None:
    folder = Path("model_store") / model
    assert {str(path.relative_to(folder)) for path in TRACKED if folder in path.parents} == FILES
    assert (repository.ROOT / folder / "weights.safetensors").stat().st_size <= MOST_BYTES


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_a_run_asks_for_shipped_models(run: Path) -> None:
    models = yaml.safe_load(repository.read(run))["models"]
    assert models
    assert set(models) <= set(SHIPPED)


@pytest.mark.parametrize("path", SERVES, ids=str)
def test_what_is_served_is_shipped(path: Path) -> None:
    named = set(re.findall(r"\bencoder[a-z-]*|\bwronglung-\d+", repository.read(path)))
    assert named
    assert named <= set(SHIPPED)


def test_every_recipe_of_a_model_has_its_card() -> None:
    recipes = {path.stem for path in TRACKED if path.parent == Path("training/configs")}
    assert set(SHIPPED) == recipes - {"findings", "findings-apart", "smallest"}


@pytest.mark.parametrize("model", SHIPPED)
def test_a_card_says_what_its_recipe_notes(model: str) -> None:
    recipe = load_recipe(repository.ROOT / "training" / "configs" / f"{model}.yaml")
    assert not isinstance(recipe, FindingsRecipe)
    assert notes(recipe) in repository.read(Path("model_store") / model / "CARD.md")
