"""The second architecture: a CLIP-like dual encoder, loaded and used like the first."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from transformers import VisionTextDualEncoderModel

from wronglung.errors import RequestInvalid
from wronglung.model import AlignmentModel, load_model
from wronglung.model.checkpoint import Checkpoint, fill_network, load_checkpoint
from wronglung.model.dual_encoder import DualEncoder
from wronglung.model.errors import ModelFilesError
from wronglung.model.image import network_input
from wronglung.model.preprocess import preprocess
from wronglung.model.random_model import create_random_dual_encoder
from wronglung.model.registry import build_network
from wronglung.model.text import SentenceTokenizer

SENTENCES = ["There is a left pleural effusion.", "The right lung is clear."]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("dual_encoder")
    create_random_dual_encoder(directory, seed=1)
    return directory


@pytest.fixture(scope="module")
def model(directory: Path) -> AlignmentModel:
    return load_model(directory)


@pytest.fixture(scope="module")
def checkpoint(directory: Path) -> Checkpoint:
    return load_checkpoint(directory)


@pytest.fixture(scope="module")
def pixels() -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (90, 120), dtype=np.uint8)


def test_maps_are_distributions_over_the_patches(model: AlignmentModel, pixels: npt.NDArray[np.uint8]) -> None:
    (answer,) = model.align([pixels], [SENTENCES])
    assert answer.maps.shape == (2, 7, 7) == (2, *model.grid)
    assert answer.maps.dtype == np.float32
    assert (answer.maps > 0).all()
    np.testing.assert_allclose(answer.maps.sum((1, 2)), 1, atol=1e-6)
    assert not np.allclose(answer.maps[0], answer.maps[1], atol=1e-3)


def test_nothing_is_withheld(model: AlignmentModel, pixels: npt.NDArray[np.uint8]) -> None:
    assert not model.has_opt_out
    assert model.align([pixels], [SENTENCES])[0].opt_out.tolist() == [0, 0]


def test_the_map_is_a_softmax_of_cosines_whose_largest_is_the_local_similarity(
    model: AlignmentModel, checkpoint: Checkpoint, pixels: npt.NDArray[np.uint8]
) -> None:
    (answer,) = model.align([pixels], [SENTENCES[:1]])
    temperature = checkpoint.config.network.temperature  # type: ignore[union-attr]
    log_map = np.log(answer.maps[0])
    cosines = (log_map - log_map.max()) / temperature + answer.local_similarity[0]
    assert (np.abs(cosines) <= 1).all()
    np.testing.assert_allclose(np.exp(temperature * cosines).sum() * answer.maps[0].max(),
                               np.exp(temperature * answer.local_similarity[0]), rtol=1e-4)  # fmt: skip


@torch.inference_mode()
def test_the_global_similarity_is_what_transformers_computes(
    model: AlignmentModel, checkpoint: Checkpoint, pixels: npt.NDArray[np.uint8]
) -> None:
    assert isinstance(checkpoint.network, DualEncoder)
    pair = checkpoint.network.pair
    assert isinstance(pair, VisionTextDualEncoderModel)
    frame, _ = preprocess(pixels, checkpoint.config.preprocess)
    ids = SentenceTokenizer(checkpoint.tokenizer, checkpoint.config.cleaning, 97)(SENTENCES[0]).ids
    inputs = network_input(torch.from_numpy(frame)[None], 112)
    theirs = pair(input_ids=torch.tensor([ids]), pixel_values=inputs).logits_per_text / pair.logit_scale.exp()
    ours = model.align([pixels], [SENTENCES[:1]])[0].global_similarity[0]
    assert ours == pytest.approx(theirs.item(), abs=1e-6)


def test_word_maps_are_refused_with_the_field_that_asks_for_them(
    model: AlignmentModel, pixels: npt.NDArray[np.uint8]
) -> None:
    with pytest.raises(RequestInvalid, match="no word maps") as caught:
        model.align([pixels], [SENTENCES], word_maps=True)
    assert caught.value.field == "options.word_maps"


def test_empty_and_long_sentences_are_handled_as_by_the_first_architecture(
    model: AlignmentModel, pixels: npt.NDArray[np.uint8]
) -> None:
    (answer,) = model.align([pixels], [["…", "left " * 200]])
    assert np.isnan(answer.maps[0]).all()
    assert [type(error).__name__ for error in answer.errors] == ["SentenceEmpty", "NoneType"]
    assert answer.truncated.tolist() == [False, True]


def edit_network(directory: Path, **changes: object) -> None:
    document = json.loads((directory / "config.json").read_text())
    document["network"] |= changes
    (directory / "config.json").write_text(json.dumps(document))


def test_an_unknown_architecture_is_refused_with_those_there_are(tmp_path: Path) -> None:
    create_random_dual_encoder(tmp_path)
    edit_network(tmp_path, architecture="perceiver")
    with pytest.raises(
        ModelFilesError, match="network: its architecture must be one of: gloria, dual_encoder, grounder"
    ):
        load_model(tmp_path)


def test_an_option_of_the_other_architecture_is_refused_by_its_key(tmp_path: Path) -> None:
    create_random_dual_encoder(tmp_path)
    edit_network(tmp_path, attention={"opt_out": True})
    with pytest.raises(ModelFilesError, match=r"network\.attention: unknown key"):
        load_model(tmp_path)


def test_patches_must_fill_the_image(tmp_path: Path) -> None:
    create_random_dual_encoder(tmp_path)
    edit_network(tmp_path, image={"input_size": 100, "patch_size": 16})
    with pytest.raises(ModelFilesError, match="must be a multiple of patch_size"):
        load_model(tmp_path)


def test_weights_of_transformers_fit_without_renaming(checkpoint: Checkpoint) -> None:
    assert isinstance(checkpoint.network, DualEncoder)
    source = VisionTextDualEncoderModel(checkpoint.network.pair.config)
    fresh = build_network(checkpoint.config.network)
    fill_network(fresh, {f"pair.{name}": tensor for name, tensor in source.state_dict().items()}, "transformers")
    for name, tensor in source.state_dict().items():
        assert torch.equal(fresh.state_dict()[f"pair.{name}"], tensor)
