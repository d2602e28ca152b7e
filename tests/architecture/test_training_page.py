"""docs/training.md and its page of keys say what training does."""

import re
from pathlib import Path

import pytest
import yaml

from tests import repository
from training.__main__ import main
from training.config import load_recipe
from training.keys import page
from training.stages import recipe_before

PAGE = repository.read(Path("docs/training.md"))
KEYS = repository.read(Path("docs/training-keys.md"))


def test_the_page_of_keys_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--keys"])
    assert left.value.code == 0
    printed = capsys.readouterr().out
    assert printed == page()
    assert printed == KEYS, "write it anew: python -m training --keys > docs/training-keys.md"


def test_every_key_of_the_shipped_recipes_is_on_the_page_of_keys() -> None:
    rows = set(re.findall(r"^\| `([\w.]+)` \|", KEYS, re.MULTILINE))
    for path in (repository.ROOT / "training" / "configs").rglob("*.yaml"):
        document = yaml.safe_load(path.read_text())
        document.pop("base", None)
        assert set(leaves(document)) <= rows, path.name


def leaves(document: dict[str, object], path: str = "") -> list[str]:
    """The dotted name of every key that holds a value."""
    found: list[str] = []
    for key, value in document.items():
        found += leaves(value, f"{path}{key}.") if isinstance(value, dict) else [path + key]
    return found


def test_the_recipes_of_the_page_are_valid_and_the_second_starts_from_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, recipe in re.findall(r"```yaml\n# (\S+)\n(.*?)```", PAGE, re.DOTALL):
        (tmp_path / name).write_text(recipe)
    monkeypatch.chdir(tmp_path)
    mine = load_recipe(Path("mine.yaml"))
    before = recipe_before(mine, None)
    assert (mine.kind, mine.name) == ("contrastive", "mine")
    assert before == load_recipe(Path("my-findings.yaml"))
    assert before.kind == "findings"
    assert (before.network, before.cleaning, before.preprocess) == (mine.network, mine.cleaning, mine.preprocess)
    assert (before.data.learned(), before.data.tested()) == (mine.data.learned(), None)
    assert mine.data.tested() is not None


def test_every_option_of_the_command_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    options = set(re.findall(r"--[a-z]+", capsys.readouterr().out.partition("examples:")[0])) - {"--help"}
    assert options == {"--output", "--work", "--device", "--resume", "--seed", "--keys"}
    assert [option for option in options if option not in PAGE] == []
