"""docs/seeds.md is of the models that are shipped, each of them beside one by the same recipe from another seed."""

import json
import re
from pathlib import Path

from harness.report.seeds import WITHIN
from tests import repository

PAGE = repository.read(Path("docs/seeds.md"))
MODELS = sorted(path.parent.name for path in (repository.ROOT / "model_store").glob("*/config.json"))
HEADLINE = ("encoder", "encoder-optout", "wronglung-1")
APART = dict(re.findall(r"^\| ([a-z0-9-]+) \| ([0-9.]+) \|", PAGE, re.MULTILINE))
"""How far the AUROCs of a recipe lie apart."""


def test_the_weights_are_the_shipped_ones() -> None:
    for model in MODELS:
        digest = json.loads(repository.read(Path(f"model_store/{model}/config.json")))["weights_sha256"]
        assert f"- Weights of {model}: `{digest}`" in PAGE.splitlines()


def test_every_model_was_trained_again_and_came_out_alike() -> None:
    assert sorted(APART) == MODELS
    assert max(map(float, APART.values())) <= WITHIN
