"""A card says exactly what was different about a model."""

from pathlib import Path

import pytest

from training.cardtext import beside, few_of, first_weights, loss, sentences, shots
from training.config import ContrastiveRecipe, FindingsRecipe, ModelRecipe, load_recipe

CONFIGS = Path(__file__).parents[3] / "training" / "configs"


def shipped(name: str) -> ModelRecipe:
    recipe = load_recipe(CONFIGS / f"{name}.yaml")
    assert not isinstance(recipe, FindingsRecipe)
    return recipe


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("encoder", "of the image's own report, 90% of them among the abnormal ones"),
        ("encoder-word-masking", "30% of the words hidden, others each time"),
        ("encoder-clinical-masking", "50% of the clinical entities (found by a vocabulary) hidden, others each time"),
        ("encoder-abnormal", "only those that state an abnormal finding"),
        ("encoder-rand-sents", "of another patient's report, another each time: a control that knows no pairs"),
        (
            "encoder-few-shot",
            "30 sentences with boxes, listed below; 100 more of validation patients chose the checkpoint",
        ),
    ],
)
def test_the_sentences_of_every_variant(name: str, said: str) -> None:
    assert said in sentences(shipped(name))


def test_no_two_variants_read_the_same_on_their_cards() -> None:
    names = ("encoder", "encoder-word-masking", "encoder-clinical-masking", "encoder-abnormal", "encoder-rand-sents")
    assert len({sentences(shipped(name)) for name in names}) == len(names)


def test_the_loss_says_what_is_no_negative_and_which_options_have_a_weight() -> None:
    assert "whose sentence is true for the image are no negatives" in loss(shipped("encoder"))
    assert "read like an image's own are no negatives" in loss(shipped("encoder-rand-sents"))
    assert "inside its boxes; no other loss" in loss(shipped("encoder-few-shot"))
    plain = shipped("encoder")
    assert isinstance(plain, ContrastiveRecipe)
    options = plain.loss.model_copy(update={"entropy_weight": 0.5, "hard_negatives": True})
    said = loss(plain.model_copy(update={"loss": options}))
    assert "; 0.5 × the maps' entropy" in said
    assert "side exchanged is one more negative" in said
    assert "entropy" not in loss(plain)


def test_the_time_of_a_stage_before_is_said_not_to_be_counted() -> None:
    assert beside(shipped("encoder"), None) == ", beside that of `training/configs/findings.yaml`"
    assert beside(shipped("encoder-few-shot"), "ab12") == ""
    assert beside(shipped("wronglung-1"), None) == ""


def test_the_first_weights_are_named_with_a_digest_where_a_folder_gave_them() -> None:
    assert first_weights(shipped("encoder"), None) == "the result of `training/configs/findings.yaml`"
    assert (
        first_weights(shipped("encoder-few-shot"), "ab12") == "those of the model `model_store/encoder` (SHA-256 ab12)"
    )
    assert first_weights(shipped("wronglung-1"), None) == "random"


def test_few_sentences_are_told_and_listed() -> None:
    assert few_of(shipped("encoder-few-shot")) == "30 sentences of "
    assert few_of(shipped("encoder")) == shots([]) == ""
    assert "## The 2 sentences" in shots(["a", "b"])
    assert "- `a`\n- `b`\n" in shots(["a", "b"])
