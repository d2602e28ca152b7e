"""docs/metrics.md: the example of a metric of one's own is installed and run as it stands."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from harness import cli
from harness.metrics import registry
from tests import repository
from tests.harness_fakes import fake_dataset
from tests.source_files import write_study

SECTION = repository.read(Path("docs/metrics.md")).split("\n## Your own metric\n")[1].split("\n## ")[0]
RUN = "from harness.cli import main; import sys; sys.exit(main(sys.argv[1:]))"


def block(language: str) -> str:
    """The section's block of code in a language."""
    found = re.search(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the example's package was installed."""
    source, site = tmp_path_factory.mktemp("my_lab"), tmp_path_factory.mktemp("site")
    (source / "my_lab_metrics.py").write_text(block("python"), encoding="utf-8")
    (source / "pyproject.toml").write_text(block("toml"), encoding="utf-8")
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--target", str(site)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(source)], check=True, capture_output=True)
    return site


def write_run_file(folder: Path, **settings: object) -> Path:
    """A run on files alone: three images of a JSONL data set with maps made elsewhere."""
    records = fake_dataset(3).records
    for record in records:
        (folder / f"{record.image_id}.png").write_bytes(record.load())
    lines = [
        {
            "image": f"{record.image_id}.png",
            "image_id": record.image_id,
            "patient_id": record.patient_id,
            "study_id": record.study_id,
            "sentence_id": sentence.sentence_id,
            "sentence": sentence.text,
            "boxes": [{"name": box.name, "box_xyxy": list(box.xyxy)} for box in sentence.boxes],
        }
        for record in records
        for sentence in record.sentences
    ]
    (folder / "data.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    write_study(folder / "maps", "mine", records)
    tree = {
        "name": "own",
        "dataset": {"kind": "jsonl", "path": str(folder / "data.jsonl")},
        "models": ["mine"],
        "maps_from": {"mine": {"kind": "study", "path": str(folder / "maps")}},
        "perturbations": ["none", "shuffle_in_report"],
        "subsets": ["all"],
        "profiles": ["exact"],
        "resamples": 100,
        "out": str(folder / "out"),
    }
    (folder / "run.yaml").write_text(yaml.safe_dump(tree | settings), encoding="utf-8")
    return folder / "run.yaml"


def test_an_installed_metric_is_in_every_file_of_a_run_and_in_the_gate(installed: Path, tmp_path: Path) -> None:
    run_file = write_run_file(tmp_path)
    environment = {**os.environ, "PYTHONPATH": f"{installed}{os.pathsep}{repository.ROOT}"}
    subprocess.run([sys.executable, "-c", RUN, "run", str(run_file)], check=True, env=environment, capture_output=True)
    out = tmp_path / "out"
    rows = pq.read_table(out / "cases.parquet", columns=["perturbation", "exact_touches"]).to_pylist()
    values = [row["exact_touches"] for row in rows if row["perturbation"] == "none"]
    summary = json.loads((out / "summary.json").read_bytes())
    mean = summary["models"]["mine"]["none"]["all"]["exact"]["touches"]
    assert set(values) <= {0.0, 1.0}
    assert (mean["n"], mean["mean"]) == (9, sum(values) / 9)
    assert summary["controls"]["oracle"]["all"]["exact"]["touches"]["mean"] == 1.0
    assert "touches" in summary["deltas"]["mine"]["shuffle_in_report"]["all"]["exact"]
    declared = json.loads((out / "manifest.json").read_bytes())["metrics"]["touches"]
    assert declared["protocols"] == {"exact": "my-lab/touches/1"}
    assert "Whether the most attended cell touches the label." in (out / "report.html").read_text(encoding="utf-8")
    gate = tmp_path / "gate.yaml"
    for bound, status in ((0.0, 0), (1.01, 1)):
        condition = {"value": "models.mine.none.all.exact.touches", "at_least": bound}
        gate.write_text(yaml.safe_dump({"require": "not_refuted", "fewest_patients": 1, "conditions": [condition]}))
        assert cli.main(["compare", str(out), str(out), "--gate", str(gate)]) == status


def test_the_run_file_of_the_example_adds_it_to_one_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "my_lab_metrics.py").write_text(block("python"), encoding="utf-8")
    run_file = write_run_file(tmp_path, **yaml.safe_load(block("yaml")))
    assert cli.main(["run", str(run_file)]) == 0
    summary = json.loads((tmp_path / "out" / "summary.json").read_bytes())
    assert summary["models"]["mine"]["none"]["all"]["exact"]["touches"]["n"] == 9
    monkeypatch.delitem(sys.modules, "my_lab_metrics")


def test_a_metric_that_cannot_be_found_is_named_before_anything_is_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_file = write_run_file(tmp_path, metrics=["no_such_module:TOUCHES"])
    assert cli.main(["run", str(run_file)]) == 2
    printed = capsys.readouterr().err
    assert "metrics: " in printed
    assert "PYTHONPATH" in printed
    assert not (tmp_path / "out").exists()
