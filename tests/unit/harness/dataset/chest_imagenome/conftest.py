"""A copy of Chest ImaGenome, written once, and copies of it to break."""

import shutil

import pytest

from tests.imagenome_copies import write_copy


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """A copy that no test may change."""
    return write_copy(tmp_path_factory.mktemp("imagenome") / "copy")


@pytest.fixture
def copy(whole, tmp_path):
    """A copy to break."""
    return shutil.copytree(whole, tmp_path / "copy")
