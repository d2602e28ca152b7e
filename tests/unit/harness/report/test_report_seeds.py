"""How far models by one recipe lie apart when only the seed differs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.report import seeds


def numbers(auroc: float | None) -> dict[str, Any]:
    estimate = {"mean": auroc, "ci95": [0.5, 0.9], "n": 20, "patients": 20}
    return {"none": {"all": {"exact": {"auroc": estimate}}}}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Two recipes, one of them from three seeds."""
    aurocs = {"a-seed-10": 0.71, "b": 0.9, "a": 0.70, "a-seed-2": 0.725}
    write(tmp_path, {name: numbers(auroc) for name, auroc in aurocs.items()})
    return tmp_path


def write(folder: Path, models: dict[str, Any], name: str = "seeds", digests: Sequence[str] = ()) -> None:
    weights = {model: {"weights_digest": digest} for model, digest in zip(models, digests, strict=False)}
    (folder / "manifest.json").write_text(json.dumps({"name": name, "models": weights}))
    dataset = {"name": "phantom:test", "patients": 20, "images": 30, "sentences": 50}
    (folder / "summary.json").write_text(json.dumps({"models": models, "dataset": dataset}))


def test_models_of_one_recipe_are_found_by_their_names_and_the_shipped_one_comes_first() -> None:
    found = seeds.families(["a-seed-10", "b", "a", "a-seed-2", "c-seed-1", "no-seed-here"])
    assert found == [seeds.Family("a", ("a", "a-seed-2", "a-seed-10"))]


def test_a_table_shows_every_model_and_how_far_the_outermost_lie_apart(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["seeds", str(run)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" | ")[:3] for line in lines if line.startswith("| a")] == [
        ["| a", "shipped", "0.700 [0.500, 0.900]"],
        ["| a", "2", "0.725 [0.500, 0.900]"],
        ["| a", "10", "0.710 [0.500, 0.900]"],
        ["| a", "0.025", "–"],
    ]


def test_recipes_whose_models_lie_too_far_apart_are_told(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["seeds", str(run), "--within", "0.024"]) == 1
    assert capsys.readouterr().err == "a: AUROC differs by 0.025 between seeds, more than 0.024\n"


def test_a_number_that_is_missing_is_no_agreement(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, {"a": numbers(0.7), "a-seed-1": numbers(None)})
    assert main(["seeds", str(tmp_path)]) == 1
    assert "a model has no AUROC" in capsys.readouterr().err


def test_a_page_holds_the_tables_of_all_runs(run: Path, tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    assert main(["seeds", str(run), "--page", str(file)]) == 0
    text = file.read_text("utf-8")
    assert text.startswith("# How much of it is chance of the seed?\n")
    assert "20 patients" in text


def test_chapters_of_other_runs_stay_on_a_page_and_those_of_the_same_are_replaced(run: Path, tmp_path: Path) -> None:
    """Runs are long, and their results not kept for ever."""
    file, other = tmp_path / "page.md", tmp_path / "other"
    other.mkdir()
    write(other, {"c": numbers(0.5), "c-seed-1": numbers(0.6)}, name="other")
    assert main(["seeds", str(run), "--page", str(file)]) == 0
    alone = file.read_text("utf-8")
    assert main(["seeds", str(other), "--within", "1", "--page", str(file)]) == 0
    both = file.read_text("utf-8")
    assert both.startswith(alone)
    assert [line for line in both.splitlines() if line.startswith("## ")] == ["## seeds", "## other"]
    assert main(["seeds", str(run), "--page", str(file)]) == 0
    assert file.read_text("utf-8") == both


def test_two_runs_of_one_name_do_not_fit_on_a_page(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "page.md"
    assert main(["seeds", str(run), str(run), "--page", str(file)]) == 2
    assert "the same name" in capsys.readouterr().err
    assert not file.exists()


def test_the_same_weights_under_two_names_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, {"a": numbers(0.7), "a-seed-1": numbers(0.7)}, digests=["x", "x"])
    assert main(["seeds", str(tmp_path)]) == 1
    assert "a: 2 models have 1 different weights" in capsys.readouterr().err
    write(tmp_path, {"a": numbers(0.7), "a-seed-1": numbers(0.7)}, digests=["x", "y"])
    assert main(["seeds", str(tmp_path)]) == 0


@pytest.mark.parametrize(("models", "said"), [({"a": numbers(0.7)}, "no model of"), (None, "is missing")])
def test_what_cannot_be_compared_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], models: dict[str, Any] | None, said: str
) -> None:
    if models is not None:
        write(tmp_path, models)
    assert main(["seeds", str(tmp_path)]) == 2
    assert said in capsys.readouterr().err
