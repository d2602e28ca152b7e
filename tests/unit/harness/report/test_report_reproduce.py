"""The run file in the report: the configuration, without the paths of the machine that it ran on."""

from pathlib import Path

import pytest
import yaml

from harness.report import render
from harness.report.reader import read_results
from harness.report.reproduce import run_file, shown_path
from tests.html_outline import parse
from tests.report_fixture import build_results, edit_json


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("/srv/project/results/nightly", "results/nightly"),
        ("/srv/project", "."),
        ("/srv/project-of-another/nightly", "nightly"),
        ("/srv/elsewhere/nightly", "nightly"),
        ("results/nightly", "results/nightly"),
        ("reader:8470", "reader:8470"),
        ("", ""),
    ],
)
def test_of_an_absolute_path_the_part_below_the_folder_or_the_last_is_shown(given: str, shown: str) -> None:
    assert shown_path(given, Path("/srv/project")) == shown


def test_no_absolute_path_of_the_configuration_is_in_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = build_results(tmp_path / "results" / "nightly")
    config = {
        "out": str(run),
        "limit": 12,
        "dataset": {"kind": "jsonl", "path": "/srv/elsewhere/findings.jsonl"},
        "ratings": {"files": ["/srv/elsewhere/ratings.csv", "more.csv"]},
    }
    edit_json(run / "manifest.json", config=config)
    assert yaml.safe_load(run_file(read_results(run))) == {
        "out": "results/nightly",
        "limit": 12,
        "dataset": {"kind": "jsonl", "path": "findings.jsonl"},
        "ratings": {"files": ["ratings.csv", "more.csv"]},
    }
    lineage = next(
        section
        for section in parse(render(run).read_text(encoding="utf-8")).below("section")
        if section.attributes["id"] == "lineage"
    )
    assert str(tmp_path) not in lineage.text
    assert "/srv/elsewhere" not in lineage.text
