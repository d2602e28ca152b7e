"""The losses on where the attention lies: their ranges, their extremes, and the same sum over pixels."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from training.map_losses import (
    attention_entropy,
    box_loss,
    distribution,
    negative_divergence,
    opt_out_penalty,
    published_opt_out_penalty,
)
from wronglung.model.attention import attend


def random_distributions(seed: int, *shape: int) -> torch.Tensor:
    return torch.softmax(3 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


@pytest.mark.parametrize("opt_out", [False, True])
def test_a_distribution_sums_to_one(opt_out: bool) -> None:
    torch.manual_seed(0)
    words, regions, vector = torch.randn(4, 8), torch.randn(2, 9, 8), torch.randn(8)
    attention = attend(words, regions, temperature=4.0, opt_out_D=vector if opt_out else None)
    found = distribution(attention, opt_out=opt_out)
    assert found.shape == (2, 9 + opt_out)
    torch.testing.assert_close(found.sum(-1), torch.ones(2))


def test_withholding_nothing_costs_nothing_and_withholding_all_a_lot() -> None:
    assert opt_out_penalty(torch.zeros(3)) == 0
    assert opt_out_penalty(torch.tensor([1.0])).item() == pytest.approx(-math.log(2**-23))


@pytest.mark.parametrize("loss", [negative_divergence, attention_entropy, lambda maps: box_loss(maps[0], *AREAS)])
def test_maps_without_a_trace_on_some_regions_have_finite_losses_and_gradients(
    loss: Callable[[torch.Tensor], torch.Tensor],
) -> None:
    scores = torch.tensor([[[500.0, 0.0], [0.0, 500.0]], [[0.0, 1.0], [0.0, 0.0]]], requires_grad=True)
    maps = torch.softmax(scores, dim=-1)
    assert (maps == 0).any()
    value = loss(maps)
    value.backward()  # type: ignore[no-untyped-call]
    assert math.isfinite(value.item())
    assert scores.grad is not None
    assert scores.grad.isfinite().all()


AREAS = torch.ones(2, 2), torch.tensor([[0.0, 1.0], [0.0, 1.0]])


@given(st.floats(1e-4, 0.98))
def test_both_penalties_grow_with_the_mass(mass: float) -> None:
    for penalty in (opt_out_penalty, published_opt_out_penalty):
        assert penalty(torch.tensor([mass])) < penalty(torch.tensor([mass + 0.01]))


@given(st.integers(0, 1000), st.integers(2, 30))
def test_entropy_lies_between_none_and_uniform(seed: int, regions: int) -> None:
    assert 0 <= attention_entropy(random_distributions(seed, 2, 2, regions)) <= math.log(regions) + 1e-6
    assert attention_entropy(torch.full((2, 2, regions), 1 / regions)).item() == pytest.approx(math.log(regions))
    assert attention_entropy(torch.eye(regions)[None]).item() == pytest.approx(0, abs=1e-9)


@given(st.integers(0, 1000))
def test_divergence_is_zero_only_for_equal_maps(seed: int) -> None:
    pairs = random_distributions(seed, 3, 3, 7)
    assert negative_divergence(pairs) < 0
    same = pairs[:, :1].expand(3, 3, 7)
    assert negative_divergence(same).item() == pytest.approx(0, abs=1e-7)


def test_a_batch_of_one_has_no_other_sentence() -> None:
    assert negative_divergence(random_distributions(0, 1, 1, 7)) == 0


@given(st.integers(0, 1000), st.integers(0, 200), st.integers(0, 200), st.integers(1, 24), st.integers(1, 24))
def test_the_box_loss_is_the_published_sum_over_pixels(seed: int, x: int, y: int, width: int, height: int) -> None:
    maps = random_distributions(seed, 1, 361).double()
    cell = np.arange(224) * 19 // 224
    inside = np.zeros((224, 224))
    inside[y : y + height, x : x + width] = 1
    pixels = maps.reshape(19, 19).numpy()[np.ix_(cell, cell)]
    expected = -math.log((pixels * inside).sum() / pixels.sum())
    area, positive = (sums_by_cell(values, cell) for values in (np.ones((224, 224)), inside))
    assert box_loss(maps, area, positive).item() == pytest.approx(expected, rel=1e-9)


def sums_by_cell(values: np.ndarray, cell: np.ndarray) -> torch.Tensor:
    sums = np.zeros((19, 19))
    np.add.at(sums, np.ix_(cell, cell), values)
    return torch.from_numpy(sums.reshape(1, 361))


def test_all_attention_in_the_box_costs_nothing() -> None:
    maps = torch.tensor([[0.0, 0.5, 0.5]])
    assert box_loss(maps, torch.ones(1, 3), torch.tensor([[0.0, 1.0, 1.0]])) == 0
    assert box_loss(3 * maps, torch.ones(1, 3), torch.tensor([[0.0, 1.0, 0.0]])).item() == pytest.approx(math.log(2))
