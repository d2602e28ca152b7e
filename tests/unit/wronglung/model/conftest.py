"""A tiny model with random weights, shared by the tests of this folder."""

from pathlib import Path

import pytest

from wronglung.model import AlignmentModel, load_model
from wronglung.model.random_model import create_random_model


@pytest.fixture(scope="session", params=[False, True], ids=["plain", "opt_out"])
def model_directory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("random_model")
    create_random_model(directory, opt_out=request.param, seed=1)
    return directory


@pytest.fixture
def model(model_directory: Path) -> AlignmentModel:
    return load_model(model_directory)
