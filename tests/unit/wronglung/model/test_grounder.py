"""wronglung-1's architecture: one softmax, and an opt-out that is decided once per sentence."""

import json
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from wronglung.errors import RequestInvalid
from wronglung.model import AlignmentModel, load_model
from wronglung.model.checkpoint import load_checkpoint
from wronglung.model.config import GrounderConfig
from wronglung.model.errors import ModelFilesError
from wronglung.model.grounder import Grounder, QuestionFeatures, RegionEncoder, RegionFeatures, ground
from wronglung.model.random_model import create_random_grounder

SENTENCES = ["There is a left pleural effusion.", "The right lung is clear."]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("grounder")
    create_random_grounder(directory, seed=1)
    return directory


@pytest.fixture(scope="module")
def model(directory: Path) -> AlignmentModel:
    return load_model(directory)


@pytest.fixture(scope="module")
def pixels() -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (90, 120), dtype=np.uint8)


def image_of(places_ND: Tensor, evidence_ND: Tensor) -> RegionFeatures:
    return RegionFeatures(places_ND, evidence_ND, torch.ones(places_ND.shape[-1]))


def question(place: list[float], evidence: list[float], prior: float = 0.0) -> QuestionFeatures:
    return QuestionFeatures(torch.tensor(place), torch.tensor(evidence), torch.tensor(prior), torch.ones(len(place)))


def test_a_map_and_its_opt_out_mass_sum_to_one(model: AlignmentModel, pixels: npt.NDArray[np.uint8]) -> None:
    (answer,) = model.align([pixels], [SENTENCES])
    assert answer.maps.shape == (2, 10, 10) == (2, *model.grid)
    assert (answer.maps > 0).all()
    assert (answer.opt_out > 0).all()
    np.testing.assert_allclose(answer.maps.sum((1, 2)) + answer.opt_out, 1, atol=1e-6)
    assert not np.allclose(answer.maps[0], answer.maps[1], atol=1e-4)


def test_it_says_that_it_can_opt_out(model: AlignmentModel) -> None:
    assert model.has_opt_out


def test_the_opt_out_mass_is_decided_by_the_log_odds_of_the_match(
    model: AlignmentModel, pixels: npt.NDArray[np.uint8]
) -> None:
    (answer,) = model.align([pixels], [SENTENCES])
    np.testing.assert_allclose(answer.opt_out, 1 / (1 + np.exp(answer.local_similarity)), rtol=1e-5)


@given(st.integers(0, 2**32 - 1))
def test_a_map_is_one_softmax_over_the_regions(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    places_ND = 3 * torch.randn(25, 4, generator=generator)
    place_D = torch.randn(4, generator=generator)
    text = QuestionFeatures(place_D, torch.zeros(4), torch.tensor(0.0), torch.ones(4))
    found = ground(image_of(places_ND, torch.zeros(25, 4)), text)
    torch.testing.assert_close(found.log_map_N.exp(), torch.softmax(places_ND @ place_D / math.sqrt(4), 0))
    assert float(found.match) == pytest.approx(0, abs=1e-5), "no evidence and no prior: even odds"


def test_a_map_can_be_as_sharp_as_it_needs_to_be() -> None:
    places_ND = torch.zeros(100, 2)
    places_ND[37] = torch.tensor([20.0, 0.0])
    found = ground(image_of(places_ND, torch.zeros(100, 2)), question([1.0, 0.0], [0.0, 0.0]))
    assert found.log_map_N.exp()[37] > 0.999, "GLoRIA's two softmaxes could not give it more than 0.36"


def test_evidence_counts_where_the_map_lies() -> None:
    """A finding on the left is evidence for a sentence that points left, and none for one that points right."""
    left, right = 8 * torch.eye(2)
    nothing, finding = torch.zeros(2), torch.tensor([12.0, 0.0])
    image = image_of(torch.stack([left, right]), torch.stack([finding, nothing]))
    points_left = ground(image, question([2.0, 0.0], [1.0, 0.0], prior=-4))
    points_right = ground(image, question([0.0, 2.0], [1.0, 0.0], prior=-4))
    assert points_left.match > 4
    assert points_right.match < -3


def test_without_a_place_a_finding_anywhere_is_evidence() -> None:
    evidence_ND = torch.zeros(100, 2)
    evidence_ND[64] = torch.tensor([14.0, 0.0])
    found = ground(image_of(torch.zeros(100, 2), evidence_ND), question([1.0, 1.0], [1.0, 0.0], prior=-2))
    assert found.match > 2


def test_word_maps_are_refused_with_the_field_that_asks_for_them(
    model: AlignmentModel, pixels: npt.NDArray[np.uint8]
) -> None:
    with pytest.raises(RequestInvalid, match="no word maps") as caught:
        model.align([pixels], [SENTENCES], word_maps=True)
    assert caught.value.field == "options.word_maps"


def test_regions_know_where_they_are(directory: Path) -> None:
    """On an even image only the place and the frame's edge tell regions apart."""
    network = load_checkpoint(directory).network
    assert isinstance(network, Grounder)
    with torch.inference_mode():
        (image,) = network.encode_images(torch.zeros(1, 224, 224))
        before = image.places_ND[55] - image.places_ND[56]
        network.image.position.zero_()
        (image,) = network.encode_images(torch.zeros(1, 224, 224))
    assert before.abs().max() > 10 * (image.places_ND[55] - image.places_ND[56]).abs().max()


@pytest.mark.parametrize(("layers", "sees_far"), [(0, False), (1, True)])
def test_without_a_transformer_a_region_knows_nothing_of_those_far_from_it(
    directory: Path, layers: int, sees_far: bool
) -> None:
    encoder = regions_of(directory, layers=layers)
    blank_1HW, marked_1HW = torch.zeros(1, 80, 80), torch.zeros(1, 80, 80)
    marked_1HW[:, :8, :8] = 1
    with torch.inference_mode():
        (blank_ND,), (marked_ND,) = encoder(blank_1HW)[0], encoder(marked_1HW)[0]
    assert not torch.equal(blank_ND[0], marked_ND[0])
    assert torch.equal(blank_ND[-1], marked_ND[-1]) is not sees_far


def test_a_network_without_positions_has_no_weights_for_them(directory: Path) -> None:
    without = regions_of(directory, positions=False)
    assert set(regions_of(directory).state_dict()) - set(without.state_dict()) == {"position"}
    with torch.inference_mode():
        assert torch.isfinite(without(torch.zeros(1, 80, 80))[0]).all()


def regions_of(directory: Path, **changes: object) -> RegionEncoder:
    """A region encoder like that of the folder's model, but for changes to its config."""
    config = load_checkpoint(directory).config.network
    assert isinstance(config, GrounderConfig)
    config = config.model_copy(update={"regions": config.regions.model_copy(update=changes)})
    torch.manual_seed(0)
    return RegionEncoder(config).eval()


def test_heads_must_divide_the_regions_width(tmp_path: Path) -> None:
    create_random_grounder(tmp_path)
    document = json.loads((tmp_path / "config.json").read_text())
    document["network"]["regions"]["heads"] = 3
    (tmp_path / "config.json").write_text(json.dumps(document))
    with pytest.raises(ModelFilesError, match="must be a multiple of heads"):
        load_model(tmp_path)
