"""The double softmax, checked by hand and by its bounds."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tiny_gloria import tiny_network
from wronglung.model.attention import attend, matching_rows, word_similarities
from wronglung.model.parts_config import AttentionConfig


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_formula_word_by_word() -> None:
    words, regions = random(3, 4), random(5, 4, seed=1)
    scores = (words @ regions.T).numpy().astype(np.float64)
    over_words = np.exp(scores) / np.exp(scores).sum(0)
    expected = np.exp(4 * over_words)
    expected /= expected.sum(1, keepdims=True)
    attention = attend(words, regions, temperature=4.0)
    np.testing.assert_allclose(attention.maps_LN, expected, atol=1e-6)
    np.testing.assert_allclose(attention.mix_LD, expected @ regions.numpy(), atol=1e-5)
    assert (attention.opt_out_L == 0).all()


def test_the_opt_out_vector_acts_as_region_zero() -> None:
    words, regions, vector = random(3, 4), random(5, 4, seed=1), random(4, seed=2)
    with_vector = attend(words, regions, temperature=4.0, opt_out_D=vector)
    joined = attend(words, torch.cat([vector[None], regions]), temperature=4.0)
    assert torch.equal(with_vector.maps_LN, joined.maps_LN[:, 1:])
    assert torch.equal(with_vector.opt_out_L, joined.maps_LN[:, 0])
    assert torch.equal(with_vector.mix_LD, joined.mix_LD)


@given(words=st.integers(1, 12), scale=st.floats(0, 100), seed=st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_a_word_map_is_flat_within_e_to_the_temperature(words: int, scale: float, seed: int) -> None:
    attention = attend(scale * random(words, 8, seed=seed), random(361, 8, seed=seed + 1), temperature=4.0)
    maps = attention.maps_LN
    assert (maps.amax(1) <= maps.amin(1) * np.exp(4) * 1.0001).all()
    np.testing.assert_allclose(maps.sum(1), 1, atol=1e-5)


def test_one_word_alone_gives_a_uniform_map() -> None:
    maps = attend(random(1, 8), random(361, 8, seed=1), temperature=4.0).maps_LN
    np.testing.assert_allclose(maps, 1 / 361, rtol=1e-5)


def test_images_are_independent_of_each_other() -> None:
    words, regions = random(3, 4), random(2, 5, 4, seed=1)
    both = attend(words, regions, temperature=4.0, opt_out_D=random(4, seed=2))
    for i in range(2):
        one = attend(words, regions[i], temperature=4.0, opt_out_D=random(4, seed=2))
        np.testing.assert_allclose(both.maps_LN[i], one.maps_LN, atol=1e-6)
        np.testing.assert_allclose(both.opt_out_L[i], one.opt_out_L, atol=1e-6)


def test_joined_pieces_add_zero_rows_to_the_matching_rows() -> None:
    words = random(4, 8)  # start token, two words, end token
    np.testing.assert_array_equal(matching_rows(words, content_pieces=2), words[1:])
    longer = matching_rows(words, content_pieces=5)
    assert longer.shape == (6, 8)
    assert (longer[3:] == 0).all()


def test_a_zero_row_is_similar_to_nothing() -> None:
    rows = torch.cat([random(2, 8), torch.zeros(1, 8)])
    similarities = word_similarities(rows, attend(rows, random(9, 8, seed=3), temperature=4.0))
    assert similarities[2] == 0
    assert similarities.abs().max() <= 1 + 1e-6


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(RuntimeError):
        attend(random(3, 4), random(5, 6), temperature=4.0)


def test_a_single_softmax_goes_over_the_regions_alone() -> None:
    words, regions = random(3, 4), random(5, 4, seed=1)
    expected = np.exp(4.0 * (words @ regions.T).numpy().astype(np.float64))
    expected /= expected.sum(1, keepdims=True)
    attention = attend(words, regions, temperature=4.0, over_words=False)
    np.testing.assert_allclose(attention.maps_LN, expected, atol=1e-6)
    np.testing.assert_allclose(attention.mix_LD, expected @ regions.numpy(), atol=1e-5)


def test_in_a_single_softmax_the_opt_out_vector_is_region_zero_too() -> None:
    words, regions, vector = random(3, 4), random(5, 4, seed=1), random(4, seed=2)
    found = attend(words, regions, temperature=2.0, opt_out_D=vector, over_words=False)
    joined = attend(words, torch.cat([vector[None], regions]), temperature=2.0, over_words=False)
    assert torch.equal(found.maps_LN, joined.maps_LN[:, 1:])
    assert torch.equal(found.opt_out_L, joined.maps_LN[:, 0])
    assert torch.equal(found.mix_LD, joined.mix_LD)


def test_in_a_single_softmax_a_map_may_be_as_sharp_as_it_likes() -> None:
    maps = attend(100 * random(3, 8), random(361, 8, seed=1), temperature=4.0, over_words=False).maps_LN
    assert (maps.amax(1) > 0.99).all()


@given(seed=st.integers(0, 1000), others=st.integers(1, 8))
@settings(max_examples=25, deadline=None)
def test_in_a_single_softmax_a_word_looks_where_it_looks_whatever_else_is_said(seed: int, others: int) -> None:
    words, regions = random(1 + others, 8, seed=seed), random(30, 8, seed=seed + 1)
    alone = attend(words[:1], regions, temperature=4.0, over_words=False).maps_LN
    among = attend(words, regions, temperature=4.0, over_words=False).maps_LN[:1]
    np.testing.assert_allclose(alone, among, atol=1e-6)


def test_a_network_attends_as_its_config_says_and_old_configs_say_double() -> None:
    assert AttentionConfig.model_validate({"temperature": 4.0, "opt_out": True}).softmax == "double"
    words, regions = random(3, 8), random(5, 8, seed=1)
    for softmax, over_words in (("double", True), ("single", False)):
        network = tiny_network(softmax=softmax)
        expected = attend(words, regions, temperature=4.0, over_words=over_words)
        assert torch.equal(network.attend(words, regions).maps_LN, expected.maps_LN)
