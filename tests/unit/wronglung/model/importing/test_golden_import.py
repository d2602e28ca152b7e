"""A published checkpoint, imported from its file, gives the published numbers."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.golden_gloria import GoldenCase, golden_case, published_tensors
from tests.published_files import as_omegaconf, fake_omegaconf, lightning_file, options
from tests.shared import shared_path
from wronglung.model import AlignmentModel, load_model
from wronglung.model.checkpoint import load_checkpoint
from wronglung.model.importing.importer import Wishes, import_published
from wronglung.model.text import SentenceTokenizer

BERT = "golden/bert_tokenizer"


@pytest.fixture(scope="module", params=["encoder", "optout"])
def variant(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def case(variant: str) -> GoldenCase:
    return golden_case(variant)


@pytest.fixture(scope="module")
def directory(variant: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The golden weights as a Lightning file with OmegaConf options, imported."""
    place = tmp_path_factory.mktemp(variant)
    state = published_tensors(variant)
    tree = options(
        model__vision__model_name="resnet_50",
        model__text__embedding_dim=96,
        model__gloria__no_attn_vec="no_attn_vec" in state,
    )
    with fake_omegaconf(place / "marker") as package:
        file = lightning_file(place / "published.ckpt", state, as_omegaconf(package, tree))
    import_published(file, str(shared_path(BERT)), place / "gloria", Wishes(name="gloria"))
    return place / "gloria"


@pytest.fixture(scope="module")
def model(directory: Path) -> AlignmentModel:
    return load_model(directory)


def test_the_config_is_the_golden_one(directory: Path, case: GoldenCase) -> None:
    config = load_checkpoint(directory).config
    assert config.network == case.checkpoint.config.network
    assert (config.preprocess, config.cleaning) == (case.checkpoint.config.preprocess, case.checkpoint.config.cleaning)
    assert json.loads((directory / "config.json").read_text())["network"]["text"]["heads"] == 4


def test_the_converted_tokenizer_gives_the_same_pieces(directory: Path, case: GoldenCase) -> None:
    checkpoint = load_checkpoint(directory)
    tokenize = SentenceTokenizer(checkpoint.tokenizer, checkpoint.config.cleaning, 97)
    for j, sentence in enumerate(case.sentences):
        pieces = [checkpoint.tokenizer.id_to_token(i) for i in tokenize(sentence).ids]
        assert pieces == case.values[f"pieces_{j}"].tolist()


def test_maps_and_similarities_are_the_published_ones(model: AlignmentModel, case: GoldenCase) -> None:
    aligned = model.align(case.images, [case.sentences] * len(case.images))
    for i, result in enumerate(aligned):
        for j in range(len(case.sentences)):
            np.testing.assert_allclose(result.maps[j], case.values[f"map_{i}_{j}"], rtol=0, atol=2e-5)
            np.testing.assert_allclose(result.global_similarity[j], case.values[f"global_{j}"][i], rtol=0, atol=1e-5)
            np.testing.assert_allclose(result.local_similarity[j], case.values[f"local_{j}"][i], rtol=0, atol=1e-5)


def test_the_import_changes_no_number(model: AlignmentModel, case: GoldenCase) -> None:
    (imported,) = model.align(case.images[:1], [case.sentences])
    (direct,) = case.model.align(case.images[:1], [case.sentences])
    np.testing.assert_array_equal(imported.maps, direct.maps)
    np.testing.assert_array_equal(imported.local_similarity, direct.local_similarity)
