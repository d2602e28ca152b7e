"""docs/seeds.md is of the models that are shipped, each of them beside one by the same recipe from another seed."""

import json
import re
from pathlib import Path

from harness.report.seeds import WITHIN
from tests import repository

PAGE = repository.read(Path("docs/seeds.md"))
MODELS = sorted(path.parent.name for path in (repository.ROOT / "model_store").glob("*/config.json"))
CHANCE = {"encoder-rand-sents"}
"""Learns from sentences of other reports: where its maps point is chance. Its card says so."""
APART = dict(re.findall(r"^\| ([a-z0-9-]+) \| ([0-9.]+) \|", PAGE, re.MULTILINE))
"""How far the AUROCs of a recipe lie apart."""


def test_the_weights_are_the_shipped_ones() -> None:
    for model in MODELS:
        digest = json.loads(repository.read(Path(f"model_store/{model}/config.json")))["weights_sha256"]
        assert f"- Weights of {model}: `{digest}`" in PAGE.splitlines()


def test_every_model_was_trained_again_and_all_but_the_control_came_out_alike() -> None:
    assert sorted(APART) == MODELS
    assert {model for model, apart in APART.items() if float(apart) > WITHIN} == CHANCE


def test_the_card_of_one_that_did_not_says_so() -> None:
    for model in CHANCE:
        assert "docs/seeds.md" in repository.read(Path(f"model_store/{model}/CARD.md"))
