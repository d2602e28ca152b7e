"""The published numbers on the wire: golden models behind TorchServe and the gateway."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.golden_gloria import GoldenCase, golden_case
from tests.serving import Instance, serving
from wronglung.alignment import Alignment
from wronglung.client import AlignmentClient
from wronglung.model import load_model
from wronglung.model.checkpoint import save_checkpoint

pytestmark = pytest.mark.integration

VARIANTS = ("encoder", "optout")
IMAGES, SENTENCES = range(3), range(4)


def write_model(directory: Path, case: GoldenCase) -> None:
    config = case.checkpoint.config
    save_checkpoint(
        directory,
        case.checkpoint.network,
        case.checkpoint.tokenizer,
        preprocess=config.preprocess,
        cleaning=config.cleaning,
    )


@pytest.fixture(scope="module")
def golden_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    store = tmp_path_factory.mktemp("golden_store")
    for variant in VARIANTS:
        write_model(store / variant, golden_case(variant))
    with serving(store, VARIANTS) as instance:
        yield instance


@pytest.fixture(scope="module", params=VARIANTS)
def case(request: pytest.FixtureRequest) -> GoldenCase:
    return golden_case(request.param)


@pytest.fixture(scope="module")
def name(case: GoldenCase) -> str:
    return "optout" if case.model.has_opt_out else "encoder"


@pytest.fixture(scope="module")
def served(golden_server: Instance, case: GoldenCase, name: str) -> list[Alignment]:
    with AlignmentClient(golden_server.target) as client:
        return [client.align(p, case.sentences, model=name, word_maps=True) for p in case.images]


def test_served_floats_are_those_of_this_process_to_the_last_bit(
    golden_server: Instance, case: GoldenCase, name: str, served: list[Alignment]
) -> None:
    model = load_model(golden_server.store / name)
    local = model.align(case.images, [case.sentences] * len(case.images), word_maps=True)
    for ours, theirs in zip(local, served, strict=True):
        for field in ("maps", "opt_out", "local_similarity", "global_similarity"):
            assert getattr(ours, field).tobytes() == getattr(theirs, field).tobytes(), field
        for a, b in zip(ours.word_maps or (), theirs.word_maps or (), strict=True):
            assert a.tobytes() == b.tobytes()
        assert ours.words == theirs.words


def test_served_maps_are_the_published_ones(case: GoldenCase, served: list[Alignment]) -> None:
    for i in IMAGES:
        for j in SENTENCES:
            np.testing.assert_allclose(served[i].maps[j], case.values[f"map_{i}_{j}"], rtol=0, atol=2e-5)
            assert list(served[i].words[j]) == case.values[f"words_{i}_{j}"].tolist()


def test_served_similarities_are_the_published_ones(case: GoldenCase, served: list[Alignment]) -> None:
    for j in SENTENCES:
        for field in ("global", "local"):
            got = [getattr(alignment, f"{field}_similarity")[j] for alignment in served]
            np.testing.assert_allclose(got, case.values[f"{field}_{j}"], rtol=0, atol=1e-5)
