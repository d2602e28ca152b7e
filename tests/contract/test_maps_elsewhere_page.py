"""docs/maps-made-elsewhere.md: its example runs as it stands, and its tables are what the code reads."""

import json
import re
from pathlib import Path

import pytest
import yaml

from harness import cli
from harness.sources.config import AnyMapsConfig, SavedMapsConfig, StudyMapsConfig
from harness.sources.savedtable import OPTIONAL, REQUIRED
from tests import repository

PAGE = repository.read(Path("docs/maps-made-elsewhere.md"))
SHIPPED = repository.ROOT / "harness" / "runs" / "maps_elsewhere.yaml"


def block(language: str) -> str:
    """The page's first block of code in a language."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_run_file_on_the_page_is_the_one_that_ships() -> None:
    assert yaml.safe_load(block("yaml")) == yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))


def test_the_example_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WRONGLUNG_TARGET", "127.0.0.1:1")  # nobody answers there
    exec(block("python"), {})
    Path("run.yaml").write_text(block("yaml"), encoding="utf-8")
    assert cli.main(["run", "run.yaml", "--limit", "12", "--set", "resamples=200"]) == 0
    assert "NO_MAP" in capsys.readouterr().out
    summary = json.loads(Path("results/maps_elsewhere/summary.json").read_bytes())
    assert summary["models"]["mine"]["none"]["one_lung"]["exact"]["auroc"]["mean"] > 0.6
    assert summary["models"]["mine"]["none"]["all"]["exact"]["opt_out_mass"]["mean"] == pytest.approx(0.05, abs=1e-6)
    assert summary["failures"]["mine"].keys() == {"random_sentences"}
    assert summary["deltas"]["mine"]["shuffle_in_report"]["all"]["exact"]["auroc"]["n"] > 10
    assert not any("match" in metric for metric in summary["deltas"]["mine"]["shuffle_in_report"]["all"]["exact"])


def test_every_setting_is_on_the_page() -> None:
    keys = set(StudyMapsConfig.model_fields) | set(SavedMapsConfig.model_fields)
    section = PAGE.split("## What the run file says of the maps")[1].split("\n## ")[0]
    listed = {
        name for row in re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    assert listed == keys
    assert AnyMapsConfig == StudyMapsConfig | SavedMapsConfig


def test_every_column_that_is_read_is_on_the_page() -> None:
    section = PAGE.split("## Layout `saved`")[1].split("\n## ")[0]
    listed = {
        name for row in re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    assert listed | {"perturbation"} == {*REQUIRED, *OPTIONAL}
