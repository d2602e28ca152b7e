"""A run of wronglung-1 in miniature: from its recipe to a model's folder that loads."""

from pathlib import Path

import numpy as np
import pytest

from training.config import GroundingRecipe
from training.devices import Devices
from training.run import Workplace, train_and_publish
from wronglung.model import load_model
from wronglung.model.errors import ModelFilesError

RECIPE = {
    "kind": "grounding",
    "name": "tiny-grounder",
    "purpose": "Proves that a run ends.",
    "notes": "Measured nowhere else.",
    "data": {"patients": 6, "validation_patients": 6, "test_patients": 2},
    "network": {
        "architecture": "grounder",
        "image": {
            "input_size": 80,
            "embedding_size": 4,
            "hidden_sizes": (8, 8),
            "depths": (1, 1),
            "block": "basic",
            "local_stage": 2,
        },
        "regions": {"hidden_size": 8, "layers": 1, "heads": 2, "intermediate_size": 8},
        "text": {"hidden_size": 8, "layers": 1, "heads": 2, "intermediate_size": 8, "vocab_size": 600},
        "embedding_size": 8,
    },
    "schedule": {"steps": 3, "batch": 4, "evaluate_every": 3},
}


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    return Workplace(tmp_path_factory.mktemp("work"), Devices("cpu"))


def test_the_folder_is_a_model_and_its_card_says_which(work: Workplace, tmp_path: Path) -> None:
    recipe = GroundingRecipe.model_validate({**RECIPE, "boxed_sentences": 2})
    train_and_publish(recipe, "recipes/tiny.yaml", tmp_path, work)
    answer = load_model(tmp_path).align([np.zeros((30, 20), np.uint8)], [["There is a nodule."]])[0]
    assert answer.maps.shape == (1, 10, 10)
    assert answer.maps.sum() + answer.opt_out[0] == pytest.approx(1, abs=1e-6)
    card = (tmp_path / "CARD.md").read_text()
    for text in ("grounder: one softmax", "boxes of 2 of them", "4 images", "## Beyond\n\nMeasured nowhere else."):
        assert text in card


def test_more_boxed_sentences_than_there_are_is_an_error(work: Workplace, tmp_path: Path) -> None:
    recipe = GroundingRecipe.model_validate({**RECIPE, "name": "greedy", "boxed_sentences": 10_000})
    with pytest.raises(ModelFilesError, match="boxed_sentences: 10000 sentences with boxes are asked for"):
        train_and_publish(recipe, "recipes/tiny.yaml", tmp_path, work)
