"""The contrastive losses: published values, and what false negatives do to them."""

import numpy as np
import pytest
import torch

from tests.golden_gloria import golden_case
from tests.tiny_gloria import TOKENIZE, tiny_network
from training.config import LossConfig
from training.losses import (
    HardTexts,
    attend_all,
    batch_loss,
    contrastive,
    global_logits,
    hard_columns,
    local_logits,
)
from training.map_losses import attention_entropy, distribution, negative_divergence, published_opt_out_penalty
from wronglung.model.bert import encode_grouped
from wronglung.model.preprocess import preprocess


@pytest.mark.parametrize("variant", ["encoder", "optout"])
@torch.no_grad()
def test_losses_agree_with_the_published_implementation(variant: str) -> None:
    case = golden_case(variant)
    network, config = case.checkpoint.network, LossConfig()
    frames = [preprocess(image, case.checkpoint.config.preprocess)[0] for image in case.images]
    image = network.image(torch.from_numpy(np.stack(frames)))
    sentences = [case.tokenize(sentence) for sentence in case.sentences[: len(frames)]]
    texts = encode_grouped(network.text, sentences)
    no_mask = torch.zeros(len(frames), len(frames), dtype=torch.bool)
    attentions = attend_all(network, image, texts)
    local = contrastive(local_logits(texts, attentions, config), no_mask)
    whole = contrastive(global_logits(image, texts, config), no_mask)
    golden = case.values["losses"]
    np.testing.assert_allclose([float(x) for x in local], golden[:2], rtol=1e-4)
    np.testing.assert_allclose([float(x) for x in whole], golden[5:], rtol=1e-4)
    pairs = torch.stack([distribution(a, opt_out=network.opt_out is not None) for a in attentions], dim=1)
    np.testing.assert_allclose(negative_divergence(pairs).item(), golden[3], rtol=1e-4)
    np.testing.assert_allclose(attention_entropy(pairs).item(), golden[4], rtol=1e-4)
    if network.opt_out is not None:
        np.testing.assert_allclose(published_opt_out_penalty(pairs[..., 0].diagonal()).item(), golden[2], rtol=1e-4)


def test_a_false_negative_does_not_push() -> None:
    logits = torch.tensor([[1.0, 9.0], [0.0, 2.0]], requires_grad=True)
    false_negatives = torch.tensor([[False, True], [False, False]])
    per_image, per_sentence = contrastive(logits, false_negatives)
    (per_image + per_sentence).backward()
    assert logits.grad is not None
    assert logits.grad[0, 1] == 0
    assert (logits.grad[[0, 1, 1], [0, 0, 1]] != 0).all()


def test_perfect_separation_costs_nothing() -> None:
    none = torch.zeros(3, 3, dtype=torch.bool)
    assert sum(contrastive(100 * torch.eye(3), none)) == pytest.approx(0)
    assert contrastive(torch.zeros(3, 3), none)[0] == pytest.approx(np.log(3))


@pytest.mark.parametrize("weight", ["opt_out_weight", "entropy_weight", "divergence_weight"])
@torch.no_grad()
def test_a_loss_on_the_maps_counts_as_much_as_its_weight(weight: str) -> None:
    case = golden_case("optout")
    network = case.checkpoint.network
    frames = [preprocess(image, case.checkpoint.config.preprocess)[0] for image in case.images]
    image = network.image(torch.from_numpy(np.stack(frames)))
    texts = encode_grouped(network.text, [case.tokenize(sentence) for sentence in case.sentences[: len(frames)]])
    none = torch.zeros(len(frames), len(frames), dtype=torch.bool)
    plain, once, twice = (
        batch_loss(network, image, texts, none, LossConfig.model_validate({weight: float(times)})) for times in range(3)
    )
    assert once != plain
    assert (twice - plain).item() == pytest.approx(2 * (once - plain).item(), rel=1e-3)


@torch.no_grad()
def test_maps_are_pushed_apart_as_in_the_study_whether_or_not_the_sentences_are_true_of_both_images() -> None:
    network = tiny_network(opt_out=False)
    image = network.image(torch.randn(2, 32, 32, generator=torch.Generator().manual_seed(0)))
    texts = encode_grouped(
        network.text, [TOKENIZE(text) for text in ("Nodule on the left.", "There is a left nodule.")]
    )

    def share_of_the_divergence(false_negatives: torch.Tensor) -> float:
        on, off = (
            batch_loss(network, image, texts, false_negatives, LossConfig(divergence_weight=weight)).item()
            for weight in (1.0, 0.0)
        )
        return on - off

    none = torch.zeros(2, 2, dtype=torch.bool)
    assert share_of_the_divergence(none) < 0
    assert share_of_the_divergence(~torch.eye(2, dtype=torch.bool)) == pytest.approx(
        share_of_the_divergence(none), rel=1e-3
    )


@torch.no_grad()
@pytest.mark.parametrize("opt_out", [False, True])
def test_a_hard_negative_is_one_more_column_for_its_own_image_alone(opt_out: bool) -> None:
    network, config = tiny_network(opt_out=opt_out), LossConfig()
    frames = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(1))
    image = network.image(frames)
    own, other = ["nodule in the left lung", "large heart", "the right lung"], "nodule in the right lung"
    texts = encode_grouped(network.text, [TOKENIZE(text) for text in own])
    hard = HardTexts([1], encode_grouped(network.text, [TOKENIZE(other)]))
    local_B, global_B = hard_columns(network, image, hard, config)
    everything = [*texts, *hard.texts]
    for column, logits in (
        (local_B, local_logits(everything, attend_all(network, image, everything), config)),
        (global_B, global_logits(image, everything, config)),
    ):
        assert column[[0, 2]].tolist() == [-torch.inf, -torch.inf]
        assert column[1].item() == pytest.approx(logits[1, 3].item(), rel=1e-5)


def test_it_counts_in_its_images_softmax_and_in_no_other() -> None:
    logits, none = torch.tensor([[2.0, 0.0], [0.0, 2.0]]), torch.zeros(2, 2, dtype=torch.bool)
    hard = torch.tensor([-torch.inf, 1.0])
    per_image, per_sentence = contrastive(logits, none, hard)
    first, second = np.log(np.exp(2) + 1) - 2, np.log(np.exp(2) + 1 + np.exp(1)) - 2
    assert per_image.item() == pytest.approx((first + second) / 2, rel=1e-5)
    assert torch.equal(per_sentence, contrastive(logits, none)[1])
    assert torch.equal(contrastive(logits, none, torch.full((2,), -torch.inf))[0], contrastive(logits, none)[0])


def test_hard_negatives_push_and_images_without_one_are_left_in_peace() -> None:
    network = tiny_network()
    frames = torch.rand(2, 32, 32, generator=torch.Generator().manual_seed(1))
    image, none = network.image(frames), torch.zeros(2, 2, dtype=torch.bool)
    texts = encode_grouped(network.text, [TOKENIZE(text) for text in ("left nodule", "large heart")])
    hard = HardTexts([0], encode_grouped(network.text, [TOKENIZE("right nodule")]))
    plain, pushed, empty = (
        batch_loss(network, image, texts, none, LossConfig(), each) for each in (None, hard, HardTexts([], []))
    )
    assert pushed > plain == empty
    pushed.backward()  # type: ignore[no-untyped-call]
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    assert all(gradient.isfinite().all() for gradient in gradients)
