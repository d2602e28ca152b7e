"""docs/seeds.md is of the models that are shipped, each of them beside one by the same recipe from another seed."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from harness.report.seeds import WITHIN
from tests import repository

PAGE = repository.read(Path("docs/seeds.md"))
MODELS = sorted(path.parent.name for path in (repository.ROOT / "model_store").glob("*/config.json"))
CHANCE = {"encoder-rand-sents", "encoder-few-shot"}
"""The first learns from sentences of other reports: where its maps point is chance. To the second it matters which
thirty sentences are drawn. Their cards say so."""
APART = [
    (recipe, float(apart))
    for table in PAGE.split("| Furthest apart |")[1:]
    for recipe, apart in re.findall(r"^\| ([a-z0-9-]+) \| ([0-9.]+) \|", table.split("\n\n")[0], re.MULTILINE)
]
"""How far the AUROCs of a recipe lie apart, in each run."""
SHIPPED = dict(re.findall(r"^\| ([a-z0-9-]+) \| shipped \| (.+) \|$", PAGE, re.MULTILINE))
"""What the page says of each shipped model: cells of AUROC over all sentences, over abnormal ones, and others."""


def test_the_weights_are_the_shipped_ones() -> None:
    for model in MODELS:
        digest = json.loads(repository.read(Path(f"model_store/{model}/config.json")))["weights_sha256"]
        assert f"- Weights of {model}: `{digest}`" in PAGE.splitlines()


def test_every_model_was_trained_again_and_all_but_two_came_out_alike() -> None:
    assert sorted({model for model, _ in APART}) == MODELS
    assert {model for model, apart in APART if apart > WITHIN} == CHANCE


def test_the_card_of_one_that_did_not_says_so() -> None:
    for model in CHANCE:
        assert "docs/seeds.md" in repository.read(Path(f"model_store/{model}/CARD.md"))


@pytest.mark.parametrize("model", MODELS)
def test_a_card_says_what_the_harness_found_with_these_weights(model: str) -> None:
    """The card comes from training, the page from the served model, on the same patients."""
    card = repository.read(Path(f"model_store/{model}/CARD.md"))
    own = re.findall(r"^\| the report's own sentences \| (.+) \|$", card, re.MULTILINE)[0]  # first table: AUROC
    on_card = re.findall(r"([0-9.]+) \[([0-9.]+), ([0-9.]+)\], n=(?:2760|899)\b", own)
    on_page = [re.findall(r"[0-9.]+", cell) for cell in SHIPPED[model].split(" | ")[:2]]
    assert np.shape(on_card) == np.shape(on_page) == (2, 3)
    assert np.array(on_card, float) == pytest.approx(np.array(on_page, float), abs=0.0006)
