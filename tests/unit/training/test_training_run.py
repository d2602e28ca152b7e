"""A whole run in miniature: from a recipe to a model's folder that loads."""

import csv
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from harness.case import Sentence
from harness.dataset.phantom import PhantomDataset
from training.config import ContrastiveRecipe, FewShotRecipe, reseeded
from training.devices import Devices
from training.evaluation import evaluate
from training.run import Workplace, train, train_and_publish
from training.setup import first_network
from training.studies import Study
from training.vocabulary import build_tokenizer
from wronglung.model import load_model
from wronglung.model.checkpoint import load_checkpoint
from wronglung.model.config import CleaningConfig, ModelConfig
from wronglung.model.errors import ModelFilesError
from wronglung.model.random_model import create_random_dual_encoder, create_random_grounder

RECIPE = {
    "kind": "contrastive",
    "name": "tiny",
    "purpose": "Proves that a run ends.",
    "data": {"patients": 6, "validation_patients": 6, "test_patients": 3},
    "network": {
        "image": {
            "input_size": 152,
            "embedding_size": 4,
            "hidden_sizes": (8, 8),
            "depths": (1, 1),
            "block": "basic",
            "local_stage": 2,
        },
        "text": {"hidden_size": 8, "layers": 3, "heads": 2, "intermediate_size": 8, "vocab_size": 600},
        "attention": {"opt_out": True},
    },
    "schedule": {"steps": 3, "batch": 4, "evaluate_every": 2},
}


def recipe(**changes: object) -> ContrastiveRecipe:
    return ContrastiveRecipe.model_validate({**RECIPE, **changes})


def at(folder: Path, *, resume: bool = False) -> Workplace:
    return Workplace(folder, Devices("cpu"), resume)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


@pytest.mark.parametrize("fewer", ["shots", "held_out"])
def test_too_few_boxed_sentences_are_told_by_their_key(fewer: str, output: Path, work: Path) -> None:
    few = few_shots_of(output).model_copy(update={fewer: 10_000})
    with pytest.raises(ModelFilesError, match=rf"^{fewer} \((training|validation) patients\): 10000 sentences"):
        train(few, at(work))


@pytest.fixture(scope="module")
def output(work: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("store") / "tiny"
    train_and_publish(recipe(), "recipes/tiny.yaml", output, at(work))
    return output


def test_the_folder_is_a_model(output: Path) -> None:
    model = load_model(output)
    assert model.grid == (19, 19)
    assert model.has_opt_out
    result = model.align([np.zeros((30, 20), np.uint8)], [["There is a nodule."]])[0]
    assert result.maps.sum() + result.opt_out[0] == pytest.approx(1, abs=1e-6)
    assert (output / "model-config.yaml").exists()


def test_the_card_states_what_was_measured(output: Path, work: Path) -> None:
    card = (output / "CARD.md").read_text()
    mean = evaluate(load_model(output), PhantomDataset(0, "test", 3)).outcomes()["auroc"]["none"]["all"].mean
    for text in (
        "python -m training recipes/tiny.yaml",
        f"{mean.mean:.3f} [{mean.lo:.3f}, {mean.hi:.3f}], n={mean.n}, of 3 patients only",
        "Not a medical",
    ):
        assert text in card
    assert str(work) not in card


def test_the_log_has_a_line_per_look(output: Path) -> None:
    with (output / "training-log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["2", "3"]
    assert all(float(row["train_loss"]) > 0 for row in rows)


@pytest.mark.parametrize(
    ("steps", "evaluate_every", "looks"), [(4, 2, [2, 4]), (3, 2, [2, 3]), (2, 5, [2])], ids=["multiple", "rest", "few"]
)
def test_no_step_is_trained_that_is_not_looked_at(
    steps: int, evaluate_every: int, looks: list[int], work: Path
) -> None:
    schedule = {"steps": steps, "batch": 4, "evaluate_every": evaluate_every}
    trained = train(recipe(name=f"looks-{steps}-{evaluate_every}", schedule=schedule), at(work))
    with (trained.folder / "log.csv").open() as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == looks


def test_the_same_seed_gives_the_same_weights(output: Path, work: Path, tmp_path: Path) -> None:
    digests = {seed: _digest_of_run(seed, work, tmp_path / str(seed)) for seed in (0, 1)}
    assert digests[0] == hashlib.sha256((output / "weights.safetensors").read_bytes()).hexdigest()
    assert digests[1] != digests[0]


def _digest_of_run(seed: int, work: Path, output: Path) -> str:
    train_and_publish(recipe(seed=seed), "recipes/tiny.yaml", output, at(work))
    return hashlib.sha256((output / "weights.safetensors").read_bytes()).hexdigest()


def test_a_model_starts_from_another_ones_weights(output: Path) -> None:
    start = load_checkpoint(output)
    begun = first_network(recipe(seed=5), start.tokenizer, output).state_dict()
    assert all(torch.equal(tensor, begun[name]) for name, tensor in start.network.state_dict().items())


def test_the_first_stage_is_run_unless_it_has_been_to_its_end_and_as_it_reads(work: Path, tmp_path: Path) -> None:
    first = tmp_path / "first.yaml"
    later = recipe(name="later", start_from=str(first))

    def weights(**changes: object) -> str:
        first.write_text(yaml.safe_dump({**RECIPE, "kind": "findings", "name": "first", **changes}, sort_keys=False))
        train(later, at(work))
        return hashlib.sha256((work / "first" / "best" / "weights.safetensors").read_bytes()).hexdigest()

    once = weights()
    begun = (work / "first" / "log.csv").stat().st_mtime_ns
    assert weights() == once
    assert (work / "first" / "log.csv").stat().st_mtime_ns == begun  # not run again
    assert weights(seed=3) != once
    (work / "first" / "finished.txt").unlink()  # as if it had been cut off
    assert weights(seed=3) != once
    assert (work / "first" / "finished.txt").exists()


def test_another_seed_gives_other_weights_in_a_folder_of_its_own_from_the_first_stage_on(
    work: Path, tmp_path: Path
) -> None:
    first = tmp_path / "before.yaml"
    first.write_text(yaml.safe_dump({**RECIPE, "kind": "findings", "name": "before"}))
    again = reseeded(recipe(name="after", start_from=str(first)), 7)
    train(again, at(work)._replace(seed=7))
    finished = (work / "after-seed-7" / "finished.txt").read_text()
    assert finished.count('"seed": 7') == 2
    assert (work / "before-seed-7" / "best" / "weights.safetensors").exists()
    assert not (work / "before").exists()
    assert reseeded(again, 7) == reseeded(again, None) == again


def test_only_the_opt_out_vector_may_be_one_sided(output: Path) -> None:
    start = load_checkpoint(output)
    plain = {**RECIPE["network"], "attention": {"opt_out": False}}  # type: ignore[dict-item]
    assert first_network(recipe(network=plain), start.tokenizer, output).opt_out is None
    deeper = {**plain, "text": {**plain["text"], "layers": 4}}
    with pytest.raises(ModelFilesError, match="another network"):
        first_network(recipe(network=deeper), start.tokenizer, output)


def test_the_vocabulary_holds_training_words_common_words_and_the_alphabet() -> None:
    sentences = ("Zebra stripes zebra.", "a stripe")
    study = Study("p", tuple(Sentence(text, text, ()) for text in sentences), frozenset(), (0, 0, 1, 1))
    tokenizer = build_tokenizer([study], CleaningConfig(), 1000)
    assert tokenizer.encode("zebra effusion", add_special_tokens=False).tokens == ["zebra", "effusion"]
    assert tokenizer.encode("qz", add_special_tokens=False).tokens == ["q", "##z"]
    with pytest.raises(ValueError, match="no room for the alphabet"):
        build_tokenizer([study], CleaningConfig(), 40)


def few_shots_of(model: Path) -> FewShotRecipe:
    return FewShotRecipe.model_validate(
        {
            "kind": "few_shot",
            "name": "few",
            "purpose": "Proves that a run ends.",
            "start_from": str(model),
            "shots": 3,
            "held_out": 4,
            "data": RECIPE["data"],
            "schedule": {"steps": 2, "batch": 3, "evaluate_every": 1},
        }
    )


def test_few_shots_are_a_run_like_any_other_from_a_model_s_folder_to_a_card(
    output: Path, work: Path, tmp_path: Path
) -> None:
    train_and_publish(few_shots_of(output), "recipes/few.yaml", tmp_path / "few", at(work))
    start, finetuned = load_checkpoint(output), load_checkpoint(tmp_path / "few")
    assert finetuned.config.network == start.config.network
    assert finetuned.config.weights_sha256 != start.config.weights_sha256
    with (tmp_path / "few" / "training-log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["1", "2"]
    assert all(0 <= float(row[name]) <= 1 for row in rows for name in ("auroc", "pointing", "mass_in_box", "iou_at_10"))
    card = (tmp_path / "few" / "CARD.md").read_text()
    trained = {s.sentence_id for r in PhantomDataset(0, "train", 6) for s in r.sentences}
    listed = re.findall("^- `(.+)`$", card, re.MULTILINE)
    assert len(set(listed)) == 3
    assert set(listed) <= trained
    assert start.config.weights_sha256 in card
    assert "inside its boxes; no other loss" in card


@pytest.mark.parametrize(
    ("create", "told"),
    [(create_random_grounder, "grounder: one softmax"), (create_random_dual_encoder, "dual encoder: a vision")],
)
def test_few_shots_finetune_models_of_other_architectures(
    create: Callable[[Path], ModelConfig], told: str, work: Path, tmp_path: Path
) -> None:
    start = create(tmp_path / "start")
    train_and_publish(few_shots_of(tmp_path / "start"), "recipes/few.yaml", tmp_path / "few", at(work))
    finetuned = load_checkpoint(tmp_path / "few").config
    assert finetuned.network == start.network
    assert finetuned.weights_sha256 != start.weights_sha256
    assert finetuned.tokenizer_sha256 == start.tokenizer_sha256
    assert told in (tmp_path / "few" / "CARD.md").read_text()


ALL_AT_ONCE = {
    "data": {"patients": 12, "validation_patients": 12},
    "cleaning": {"keep_mask_token": True},
    "sentences": {"draw": "abnormal", "masking": {"kind": "entities"}},
    "loss": {"hard_negatives": True, "opt_out_weight": 0.1, "entropy_weight": 0.1, "divergence_weight": 0.1},
    "network": {**RECIPE["network"], "attention": {"opt_out": True, "softmax": "single"}},  # type: ignore[dict-item]
}


@pytest.mark.parametrize("changes", [ALL_AT_ONCE, {"sentences": {"draw": "other_report"}}], ids=["all", "control"])
def test_the_variants_options_train_together(changes: dict[str, object], work: Path) -> None:
    name = "together" if changes is ALL_AT_ONCE else "control"
    trained = train(recipe(name=name, **changes), at(work))
    with (trained.folder / "log.csv").open() as file:
        losses = [float(row[key]) for row in csv.DictReader(file) for key in ("train_loss", "validation_loss")]
    assert len(losses) == 4
    assert np.isfinite(losses).all()
    assert load_model(trained.folder / "best").has_opt_out
