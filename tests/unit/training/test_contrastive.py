"""Stage two begins with attention that is neither all or nothing nor flat."""

import numpy as np
import pytest
import torch

from harness.case import Sentence
from harness.dataset.phantom import PhantomDataset
from training.batches import Batch
from training.config import ContrastiveRecipe
from training.contrastive import ContrastiveObjective
from wronglung.model.config import CleaningConfig
from wronglung.model.network import AlignmentNetwork
from wronglung.model.text import SentenceTokenizer
from wronglung.model.tokenizer import from_vocabulary, vocabulary_with_alphabet

SENTENCES = [Sentence(text, text, ()) for text in ("Nodule in the left lung.", "The heart is large.")]


def objective(opt_out: bool, spread: float = 2.0) -> ContrastiveObjective:
    tokenizer = from_vocabulary(vocabulary_with_alphabet(["nodule", "left", "heart", "large"]))
    text = {"vocab_size": tokenizer.get_vocab_size(), "hidden_size": 8, "layers": 4, "heads": 2, "dropout": 0.0}
    image = {"input_size": 32, "embedding_size": 4, "hidden_sizes": (8, 8), "depths": (1, 1), "local_stage": 2}
    recipe = ContrastiveRecipe.model_validate(
        {
            "kind": "contrastive",
            "name": "tiny",
            "purpose": "A test.",
            "network": {"image": {**image, "block": "basic"}, "text": text, "attention": {"opt_out": opt_out}},
            "attention_start": {"spread": spread, "rate": 0.25},
        }
    )
    torch.manual_seed(0)
    network = AlignmentNetwork(recipe.network)
    tokenize = SentenceTokenizer(tokenizer, CleaningConfig(), 97)
    return ContrastiveObjective(network, tokenize, recipe, PhantomDataset(0, "validation", 1))


def batch() -> Batch:
    frames = torch.rand(2, 32, 32, generator=torch.Generator().manual_seed(1))
    return Batch(frames, [], SENTENCES, torch.zeros(2, 2, dtype=torch.bool), np.zeros((len(frames), 2), np.int64))


@pytest.mark.parametrize("spread", [0.5, 8.0])
def test_regions_share_nothing_and_scores_differ_between_words_as_the_recipe_says(spread: float) -> None:
    begun = objective(opt_out=False, spread=spread)
    begun.start_attention(batch())
    image, texts = begun._encode(batch())
    assert image.regions_BND.mean(dim=(0, 1)).norm() < 1e-3 * image.regions_BND.norm(dim=-1).mean()
    spreads = [(t.words_WD[:-1] @ r.T).std(0).mean() for t, r in zip(texts, image.regions_BND, strict=True)]
    assert torch.stack(spreads).mean().item() == pytest.approx(spread, rel=1e-4)


def test_the_opt_out_vector_is_as_long_as_the_mean_region() -> None:
    begun = objective(opt_out=True)
    begun.start_attention(batch())
    image, _ = begun._encode(batch())
    assert begun._network.opt_out is not None
    assert begun._network.opt_out.norm().item() == pytest.approx(image.regions_BND.norm(dim=-1).mean().item(), rel=1e-4)


@pytest.mark.parametrize("opt_out", [False, True])
def test_everything_is_learned_once_and_the_regions_slower(opt_out: bool) -> None:
    begun = objective(opt_out)
    rest, regions = begun.parameter_groups()
    assert (rest["rate"], regions["rate"]) == (1.0, 0.25)
    assert len(regions["params"]) == 1 + opt_out
    learned = [id(parameter) for group in (rest, regions) for parameter in group["params"]]
    assert sorted(learned) == sorted(id(parameter) for parameter in begun._network.parameters())
