"""Phantoms written in any layout: where they go, that they are the same every time, and that they are read back."""

import pytest

from harness import cli
from harness.dataset.base import validate
from harness.dataset.catalogue import open_dataset, parse_dataset
from harness.dataset.export.catalogue import EXPORTERS, export
from harness.settings import ConfigError


def contents(folder):
    """Every file below a folder with its bytes."""
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("layout", EXPORTERS)
def test_a_layout_is_read_back_whole_and_is_the_same_every_time(layout, tmp_path):
    names = export(layout, tmp_path / "a", patients=2, seed=3)
    assert names
    for name in names:
        report = validate(open_dataset(parse_dataset(name)))
        assert report.found.sentences
        assert not report.findings.left_out
        assert not report.findings.warnings
    export(layout, tmp_path / "b", patients=2, seed=3)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_the_command_says_how_to_read_what_it_wrote(tmp_path, capsys):
    folder = tmp_path / "new" / "folder"
    assert cli.main(["export", "jsonl", str(folder), "--patients", "1", "--seed", "2"]) == 0
    assert f"harness validate jsonl:{folder}/data.jsonl" in capsys.readouterr().out
    assert cli.main(["validate", f"jsonl:{folder}/data.jsonl"]) == 0


def test_what_is_there_is_never_written_over(tmp_path):
    (tmp_path / "mine.txt").touch()
    with pytest.raises(ConfigError, match="new or empty"):
        export("jsonl", tmp_path, patients=1, seed=0)
    with pytest.raises(ConfigError, match="new or empty"):
        export("jsonl", tmp_path / "mine.txt", patients=1, seed=0)


@pytest.mark.parametrize(
    ("layout", "patients", "seed", "words"),
    [("json", 1, 0, "did you mean 'jsonl'"), ("jsonl", 0, 0, "at least 1"), ("jsonl", 1, -1, "seed")],
)
def test_wrong_use_is_named(layout, patients, seed, words, tmp_path):
    with pytest.raises(ConfigError, match=words):
        export(layout, tmp_path, patients=patients, seed=seed)
