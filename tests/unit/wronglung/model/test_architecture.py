"""What holds of every architecture: the map that is learned through is the one that is served."""

import numpy as np
import pytest
import torch

from tests.tiny_networks import CONFIGS, TOKENIZE
from wronglung.model.architecture import AnyArchitecture
from wronglung.model.registry import build_network

SENTENCES = [TOKENIZE(text) for text in ("Nodule in the left lung.", "Heart is in the right lung.")]


@pytest.fixture(params=CONFIGS)
def network(request: pytest.FixtureRequest) -> AnyArchitecture:
    torch.manual_seed(1)
    return build_network(CONFIGS[request.param]).eval()


def test_where_a_sentence_looks_is_its_map_but_for_a_factor(network: AnyArchitecture) -> None:
    for image in network.encode_images(torch.randn(2, 32, 32)):
        for sentence in SENTENCES:
            (text,) = network.encode_sentences([sentence])
            with torch.no_grad():
                looked = network.map_regions(image, text).numpy()
                match = network.match(image, sentence, text)
            assert (looked >= 0).all()
            np.testing.assert_allclose(looked / looked.sum(), match.map / match.map.sum(), rtol=1e-5)


def test_both_encoders_can_learn_from_where_a_sentence_looks(network: AnyArchitecture) -> None:
    (image,) = network.encode_images(torch.randn(1, 32, 32))
    (text,) = network.encode_sentences(SENTENCES[:1])
    looked = network.map_regions(image, text)
    (looked[0] / looked.sum()).backward()  # type: ignore[no-untyped-call]
    learned = {name for name, weights in network.named_parameters() if weights.grad is not None and weights.grad.any()}
    parts = ("pair.vision_model", "pair.text_model") if hasattr(network, "pair") else ("image", "text")
    for part in parts:
        assert any(name.startswith(part) for name in learned), part
