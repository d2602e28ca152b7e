"""One real server for all integration tests that do it no harm."""

from collections.abc import Iterator

import pytest

from tests.repository import ROOT
from tests.serving import Instance, serving

MODELS = ("encoder", "encoder-optout", "wronglung-1")


@pytest.fixture(scope="session")
def server() -> Iterator[Instance]:
    """The models of the demo behind a gateway: `.target`, `.metrics_url`, `.models`, `.store`.

    Tests that hurt a server start their own.
    """
    with serving(ROOT / "model_store", MODELS) as instance:
        yield instance
