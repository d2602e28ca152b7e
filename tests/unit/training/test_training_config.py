"""A recipe is checked before anything is computed, and never touches test patients."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.dataset.config import JsonlConfig, RealCxrConfig
from harness.dataset.phantom import PhantomDataset
from training.__main__ import main
from training.config import ContrastiveRecipe, load_recipe
from wronglung.model.errors import ModelFilesError

FOLDER = Path(__file__).parents[3] / "training" / "configs"
CONFIGS = sorted(FOLDER.rglob("*.yaml"))


def write(folder: Path, **changes: object) -> Path:
    document = {"kind": "contrastive", "name": "tiny", "purpose": "A test.", "network": {}, **changes}
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_shipped_recipe_is_valid_and_named_after_its_file(path: Path) -> None:
    assert load_recipe(path).name == path.stem


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_looks_of_every_shipped_recipe_are_evenly_spaced_to_its_last_step(path: Path) -> None:
    schedule = load_recipe(path).schedule
    assert schedule.steps % schedule.evaluate_every == 0


@pytest.mark.parametrize("split", ["test", "validation"])
def test_learning_from_another_split_is_refused(tmp_path: Path, split: str) -> None:
    with pytest.raises(ModelFilesError, match=r"  data\.split: Input should be 'train'"):
        load_recipe(write(tmp_path, data={"split": split}))


DISTINCT_DATA = {load_recipe(path).data.seed: path for path in CONFIGS}.values()


@pytest.mark.parametrize("path", DISTINCT_DATA, ids=lambda path: path.stem)
def test_no_patient_is_in_two_splits(path: Path) -> None:
    data = load_recipe(path).data
    sizes = {"train": 30, "validation": 30, "test": 30}  # numbered from 0 in each: if any met, the first would
    patients = [{r.patient_id for r in PhantomDataset(data.seed, s, n)} for s, n in sizes.items()]  # type: ignore[arg-type]
    assert len(set.union(*patients)) == sum(map(len, patients)) == sum(sizes.values())


def test_an_unknown_key_is_named(tmp_path: Path) -> None:
    told = r"^  optimiser\.learning_rat: unknown key: did you mean 'learning_rate'\?$"
    with pytest.raises(ModelFilesError, match=f"(?m){told}"):
        load_recipe(write(tmp_path, optimiser={"learning_rat": 1e-3}))


def test_a_number_that_yaml_takes_for_a_word_is_told_with_the_fix(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.write_text(path.read_text() + "optimiser: {learning_rate: 1e-4}\n")
    told = r"learning_rate: .* number, got '1e-4' \(YAML takes it for a word: write 1\.0e-4\)"
    with pytest.raises(ModelFilesError, match=told):
        load_recipe(path)
    path.write_text(path.read_text().replace("1e-4", "1.0e-4"))
    assert load_recipe(path).optimiser.learning_rate == 1e-4


def test_a_missing_file_and_broken_yaml_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ModelFilesError, match="cannot read"):
        load_recipe(tmp_path / "absent.yaml")
    (tmp_path / "broken.yaml").write_text("a: [")
    with pytest.raises(ModelFilesError, match="is not YAML"):
        load_recipe(tmp_path / "broken.yaml")


def test_a_batch_needs_as_many_patients(tmp_path: Path) -> None:
    with pytest.raises(ModelFilesError, match="one study per patient"):
        load_recipe(write(tmp_path, data={"patients": 10, "validation_patients": 10}, schedule={"batch": 11}))


def test_a_recipe_inherits_what_its_base_says_and_is_checked_as_a_whole(tmp_path: Path) -> None:
    write(tmp_path, schedule={"steps": 7, "batch": 3})
    heir = tmp_path / "heir.yaml"
    heir.write_text("base: recipe.yaml\nname: heir\nschedule: {steps: 9}\n")
    recipe = load_recipe(heir)
    assert (recipe.name, recipe.schedule.steps, recipe.schedule.batch) == ("heir", 9, 3)
    heir.write_text("base: recipe.yaml\nschedule: {step: 9}\n")
    with pytest.raises(ModelFilesError, match=r"schedule\.step:"):
        load_recipe(heir)


FEW_SHOT = {"kind": "few_shot", "name": "tiny", "purpose": "A test.", "start_from": "model_store/encoder"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": {}}, "network: leave out what the checkpoint"),
        ({"cleaning": {}, "preprocess": {}}, "cleaning, preprocess: leave out"),
        ({"sentences": {"draw": "other_report"}}, "of its own image"),
        ({"start_from": None}, "start_from"),
    ],
)
def test_a_few_shot_recipe_takes_the_model_of_its_checkpoint(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    path = tmp_path / "few.yaml"
    path.write_text(yaml.safe_dump(FEW_SHOT))
    assert load_recipe(path).schedule.batch == 48
    path.write_text(yaml.safe_dump({**FEW_SHOT, **changes}))
    with pytest.raises(ModelFilesError, match=message):
        load_recipe(path)


VARIANTS = {
    "encoder-optout": {"network"},
    "encoder-word-masking": {"sentences", "cleaning"},
    "encoder-clinical-masking": {"sentences", "cleaning"},
    "encoder-abnormal": {"sentences"},
    "encoder-rand-sents": {"sentences", "start_from"},
}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_differs_from_the_encoder_by_the_one_thing(name: str) -> None:
    plain, variant = (load_recipe(FOLDER / f"{each}.yaml").model_dump() for each in ("encoder", name))
    differs = {key for key in plain if plain[key] != variant[key]} - {"name", "purpose", "notes"}
    assert differs == VARIANTS[name]


ABLATIONS = {
    "no-exchanged-sentences": {"exchanged_sentences"},
    "no-mirrored-studies": {"data"},
    "no-positions": {"network"},
    "no-transformer": {"network"},
    "no-domain-randomisation": {"domain"},
    "boxes-30": {"boxed_sentences"},
    "boxes-300": {"boxed_sentences"},
}


@pytest.mark.parametrize("name", ABLATIONS)
def test_an_ablation_leaves_out_one_thing(name: str) -> None:
    whole, less = (load_recipe(FOLDER / "ablations" / f"{each}.yaml").model_dump() for each in ("everything", name))
    differs = {key for key in whole if whole[key] != less[key]} - {"name", "purpose"}
    assert differs == ABLATIONS[name]


OF_ENCODERS = {
    "encoder-hard-negatives": ("encoder", {"loss.hard_negatives"}),
    "encoder-single-softmax": ("encoder", {"network.attention.softmax"}),
    "encoder-single-hard": ("encoder", {"network.attention.softmax", "loss.hard_negatives"}),
    "encoder-faster": ("encoder", {"optimiser.learning_rate"}),
    "encoder-optout-losses": (
        "encoder-optout",
        {"loss.opt_out_weight", "loss.entropy_weight", "loss.divergence_weight"},
    ),
    "encoder-optout-single": ("encoder-optout", {"network.attention.softmax"}),
    "few-shot-double": ("encoder-few-shot", {"start_from"}),
    "few-shot-single": ("encoder-few-shot", {"start_from"}),
}


@pytest.mark.parametrize("name", OF_ENCODERS)
def test_an_ablation_of_an_encoder_says_what_it_changes(name: str) -> None:
    whole, keys = OF_ENCODERS[name]
    shipped, changed = (flat(load_recipe(path).model_dump()) for path in (recipe(whole), recipe(f"ablations/{name}")))
    told = {"name", "purpose", "notes", "data.test_patients"}  # evaluated on validation patients: no card
    assert {key for key in shipped | changed if shipped.get(key) != changed.get(key)} - told == keys


def recipe(name: str) -> Path:
    return FOLDER / f"{name}.yaml"


def flat(tree: dict[str, Any], above: str = "") -> dict[str, Any]:
    """Every leaf by its path."""
    leaves: dict[str, Any] = {}
    for key, value in tree.items():
        leaves |= flat(value, f"{above}{key}.") if isinstance(value, dict) else {f"{above}{key}": value}
    return leaves


def test_the_control_has_no_hard_negatives(tmp_path: Path) -> None:
    with pytest.raises(ModelFilesError, match="other_report must not"):
        load_recipe(write(tmp_path, sentences={"draw": "other_report"}, loss={"hard_negatives": True}))


def test_hidden_words_need_a_model_that_keeps_the_mask_token(tmp_path: Path) -> None:
    masked = {"masking": {"kind": "words"}}
    with pytest.raises(ModelFilesError, match="keep_mask_token: true"):
        load_recipe(write(tmp_path, sentences=masked))
    assert load_recipe(write(tmp_path, sentences=masked, cleaning={"keep_mask_token": True})).sentences.masking


def test_the_command_fails_with_a_message_and_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(write(tmp_path, seeds=1))]) == 2
    assert "seeds" in capsys.readouterr().err


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_that_no_generator_takes_is_told_before_anything_is_read(
    seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(write(tmp_path, seed=seed))]) == 2
    assert main([str(write(tmp_path, data={"test_seed": -1}))]) == 2
    told = capsys.readouterr().err
    assert "seed: Input should be" in told
    assert "test_seed: Input should be" in told
    with pytest.raises(SystemExit, match="2"):
        main([str(write(tmp_path)), "--seed", str(seed)])
    assert f"argument --seed: {seed} is no seed" in capsys.readouterr().err


def test_a_version_may_look_like_a_date(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.write_text(path.read_text() + "version: 2026-11-30\n")
    assert load_recipe(path).version == "2026-11-30"


def test_defaults_are_the_published_temperatures() -> None:
    config = ContrastiveRecipe.model_validate({"kind": "contrastive", "name": "x", "purpose": "x", "network": {}})
    assert (config.loss.word_temperature, config.loss.batch_temperature) == (5, 10)
    assert config.network.attention.temperature == 4


def test_any_data_set_of_the_harness_is_described_as_in_a_run_file(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path, data={"dataset": {"kind": "jsonl", "path": "mine.jsonl"}, "mirrored": True}))
    assert recipe.data.learned() == JsonlConfig(kind="jsonl", path=Path("mine.jsonl"))
    assert recipe.data.held_out() is None


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ({"kind": "jsonl"}, r"data\.dataset\.path: Field required"),
        ({"kind": "csv"}, "expected tags"),
        ({"kind": "phantom", "split": "train"}, "write `dataset: phantom`"),
        (
            {"kind": "chest_imagenome_silver", "root": "r", "images": "i", "split": "test"},
            "split must be train, got test",
        ),
        ("jsonl", r"data\.dataset: .*{kind: jsonl, …}"),
    ],
)
def test_a_wrong_description_is_told_by_its_key(tmp_path: Path, dataset: object, message: str) -> None:
    with pytest.raises(ModelFilesError, match=message):
        load_recipe(write(tmp_path, data={"dataset": dataset}))


JSONL = {"kind": "jsonl", "path": "mine.jsonl"}
REAL = {"kind": "real_cxr"}


@pytest.mark.parametrize(
    ("key", "data"), [("dataset", {"dataset": REAL}), ("validation", {"dataset": JSONL, "validation": REAL})]
)
def test_real_radiographs_for_evaluation_are_neither_learned_from_nor_looked_at_meanwhile(
    tmp_path: Path, key: str, data: dict[str, object]
) -> None:
    with pytest.raises(ModelFilesError, match=rf"data\.{key}: .*real_cxr is for evaluation only: .*data\.test"):
        load_recipe(write(tmp_path, data=data))


def test_real_radiographs_may_be_what_the_card_is_measured_on(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path, data={"dataset": JSONL, "test": REAL}))
    assert recipe.data.tested() == RealCxrConfig(kind="real_cxr")
