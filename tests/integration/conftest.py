"""One real server for all integration tests that do it no harm."""

from collections.abc import Iterator

import pytest

from tests.serving import Instance, random_store, serving, shipped_store

MODELS = ("encoder", "encoder-optout")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """Both models behind a gateway: `.target`, `.metrics_url`, `.models`, `.store`.

    The shipped models if they are there, else two with random weights. Tests that hurt a server start their own.
    """
    store = shipped_store() or random_store(tmp_path_factory.mktemp("store"))
    with serving(store, MODELS) as instance:
        yield instance
