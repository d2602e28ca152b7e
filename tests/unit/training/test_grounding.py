"""wronglung-1's losses: what each of them asks for, on batches small enough to follow by hand."""

import math

import pytest
import torch
from torch import Tensor

from harness.case import Sentence
from training.claims import Claim, GroundingBatch
from training.grounding import Pairs, exchanged_loss, where_loss, whether_loss, whole_loss

NOWHERE = torch.zeros(4)


def batch_of(claims: list[Claim], visible: list[list[bool]], places: list[Tensor] | None = None) -> GroundingBatch:
    places_SN = torch.stack(places or [NOWHERE] * len(claims))
    return GroundingBatch(torch.zeros(len(visible), 2, 2), claims, torch.tensor(visible), places_SN)


def claim(image: int, *, negated: bool = False, exchanged: bool = False) -> Claim:
    return Claim(image, Sentence(f"{image}", "text", (), negated=negated), exchanged)


def pairs_of(log_maps: Tensor | None = None, matches: Tensor | None = None, cosines: Tensor | None = None) -> Pairs:
    def given(values: Tensor | None) -> Tensor:
        return torch.zeros(1) if values is None else values

    return Pairs(given(log_maps), given(matches), given(cosines))


def test_a_map_that_equals_the_boxes_costs_nothing() -> None:
    places = torch.tensor([0.5, 0.5, 0.0, 0.0])
    batch = batch_of([claim(0)], [[True]], [places])
    perfect = torch.log(places.clamp_min(1e-12)).reshape(1, 1, 4)
    even = torch.full((1, 1, 4), math.log(0.25))
    assert float(where_loss(pairs_of(perfect), batch)) == pytest.approx(0, abs=1e-6)
    assert float(where_loss(pairs_of(even), batch)) == pytest.approx(math.log(2), abs=1e-6)


def test_the_map_that_counts_is_the_one_on_the_claims_own_image() -> None:
    places = torch.tensor([1.0, 0.0, 0.0, 0.0])
    batch = batch_of([claim(1)], [[False], [True]], [places])
    log_maps_BSN = torch.log(torch.tensor([[[0.01, 0.33, 0.33, 0.33]], [[0.97, 0.01, 0.01, 0.01]]]))
    assert float(where_loss(pairs_of(log_maps_BSN), batch)) == pytest.approx(-math.log(0.97), abs=1e-5)


def test_sentences_without_boxes_say_nothing_about_where() -> None:
    batch = batch_of([claim(0)], [[True]])
    log_maps = torch.full((1, 1, 4), math.log(0.25), requires_grad=True)
    loss = where_loss(pairs_of(log_maps), batch)
    loss.backward()  # type: ignore[no-untyped-call]
    assert float(loss.detach()) == 0
    assert log_maps.grad is not None
    assert (log_maps.grad == 0).all()


def test_what_is_there_and_what_is_not_weigh_the_same() -> None:
    """One visible pair among many invisible ones: being wrong about it costs as much as about all the others."""
    batch = batch_of([claim(0), claim(1, negated=True), claim(2, negated=True)], torch.eye(3).bool()[:, :3].tolist())
    batch = batch._replace(visible_BS=torch.tensor([[True, False, False], [False] * 3, [False] * 3]))
    wrong_about_one = torch.full((3, 3), -5.0)
    wrong_about_rest = torch.full((3, 3), 5.0)
    one = float(whether_loss(pairs_of(matches=wrong_about_one), batch))
    rest = float(whether_loss(pairs_of(matches=wrong_about_rest), batch))
    wrong, right = math.log1p(math.exp(5)), math.log1p(math.exp(-5))
    assert one == pytest.approx((wrong + right) / 2 + (wrong + 2 * right) / 3, rel=1e-5)
    assert rest == pytest.approx((wrong + right) / 2 + (right + 2 * wrong) / 3, rel=1e-5)


def test_an_exchanged_sentence_that_is_false_must_not_match() -> None:
    batch = batch_of([claim(0), claim(0, exchanged=True)], [[True, False]])
    loss = exchanged_loss(pairs_of(matches=torch.tensor([[9.0, 2.0]])), batch)
    assert float(loss) == pytest.approx(math.log1p(math.exp(2)), rel=1e-5)


def test_an_exchanged_sentence_that_happens_to_be_true_must_match() -> None:
    batch = batch_of([claim(0), claim(0, exchanged=True)], [[True, True]])
    loss = exchanged_loss(pairs_of(matches=torch.tensor([[9.0, 2.0]])), batch)
    assert float(loss) == pytest.approx(math.log1p(math.exp(-2)), rel=1e-5)


def test_without_exchanged_sentences_there_is_no_such_loss() -> None:
    assert float(exchanged_loss(pairs_of(matches=torch.ones(1, 1)), batch_of([claim(0)], [[True]]))) == 0


def test_other_images_of_which_a_sentence_is_true_are_no_negatives() -> None:
    cosines_BS = torch.tensor([[0.5, 0.1], [0.9, 0.8]])
    claims = [claim(0), claim(1)]
    strict = batch_of(claims, [[True, False], [False, True]])
    lenient = batch_of(claims, [[True, False], [True, True]])
    costly = float(whole_loss(pairs_of(cosines=cosines_BS), strict, temperature=10))
    free = float(whole_loss(pairs_of(cosines=cosines_BS), lenient, temperature=10))
    second = math.log1p(math.exp(-7))
    assert costly == pytest.approx((math.log1p(math.exp(4)) + second) / 2, rel=1e-5)
    assert free == pytest.approx(second / 2, abs=1e-6)


def test_denials_and_exchanged_sentences_belong_to_no_image() -> None:
    batch = batch_of([claim(0, negated=True), claim(0, exchanged=True)], [[False, False], [False, False]])
    assert float(whole_loss(pairs_of(cosines=torch.rand(2, 2)), batch, temperature=10)) == 0


def test_a_batch_of_denials_has_a_loss() -> None:
    batch = batch_of([claim(0, negated=True)], [[False]])
    assert float(whether_loss(pairs_of(matches=torch.zeros(1, 1)), batch)) == pytest.approx(1.5 * math.log(2), rel=1e-5)
