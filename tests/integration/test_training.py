"""Training by the command line, as a person does it."""

import csv
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests import needs, repository
from tests.launched import run_in_two_processes
from training.state import STATE_FILE
from wronglung.model import load_model

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SMALLEST = "training/configs/smallest.yaml"
CPU_SECONDS = 120
TINY = {
    "kind": "findings",
    "name": "tiny",
    "purpose": "A test.",
    "data": {"patients": 16, "validation_patients": 4},
    "network": {
        "image": {"input_size": 64, "embedding_size": 4, "hidden_sizes": [8, 8], "depths": [1, 1], "block": "basic"}
        | {"local_stage": 2},
        "text": {"hidden_size": 8, "layers": 3, "heads": 2, "intermediate_size": 8, "vocab_size": 600},
    },
    "schedule": {"steps": 40, "batch": 4, "evaluate_every": 2},
}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "training", *arguments]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    ended = subprocess.run(
        command(*arguments), cwd=repository.ROOT, capture_output=True, text=True, timeout=280, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended


def test_the_smallest_recipe_learns_in_two_minutes(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = run(SMALLEST, "--device", "cpu", "--work", str(tmp_path / "work"), "--output", str(tmp_path / "model"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < CPU_SECONDS
    assert str(tmp_path / "model") in ended.stdout
    with (tmp_path / "work" / "smallest" / "log.csv").open() as file:
        looks = [float(row["validation_loss"]) for row in csv.DictReader(file)]
    assert len(looks) == 3
    assert looks[-1] < looks[0]
    load_model(tmp_path / "model").warm_up()
    assert "# smallest 1.0" in (tmp_path / "model" / "CARD.md").read_text()


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(TINY, sort_keys=False))
    return path


def weights(work: Path) -> bytes:
    return (work / "tiny" / "best" / "weights.safetensors").read_bytes()


def test_a_killed_command_goes_on_to_the_same_bytes(tiny: Path, tmp_path: Path) -> None:
    needs.complete_machine("trains three times")
    options = (str(tiny), "--device", "cpu", "--resume", "--work")
    run(*options, str(tmp_path / "undisturbed"))
    state = tmp_path / "killed" / "tiny" / STATE_FILE
    with subprocess.Popen(command(*options, str(tmp_path / "killed")), cwd=repository.ROOT) as process:
        deadline = time.monotonic() + 120
        while not state.exists() and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
    assert not (state.parent / "finished.txt").exists()
    ended = run(*options, str(tmp_path / "killed"))
    assert "tiny goes on after step" in ended.stderr
    assert weights(tmp_path / "killed") == weights(tmp_path / "undisturbed")


def test_two_processes_train_one_model(tiny: Path, tmp_path: Path) -> None:
    needs.complete_machine("trains in two processes")
    ended = run_in_two_processes("-m", "training", str(tiny), "--device", "cpu", "--work", str(tmp_path / "work"))
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("wrote ") == 1
    with (tmp_path / "work" / "tiny" / "log.csv").open() as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == list(range(2, 41, 2))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"dataset": {"kind": "jsonl", "path": "absent.jsonl"}}, "data.dataset: "),
        ({"patients": 3, "validation_patients": 3}, "schedule.batch"),
    ],
)
def test_what_is_wrong_is_told_in_a_line_and_status_2(
    tiny: Path, tmp_path: Path, data: dict[str, object], message: str
) -> None:
    tiny.write_text(yaml.safe_dump({**TINY, "data": data}))
    ended = subprocess.run(
        command(str(tiny), "--work", str(tmp_path)), cwd=repository.ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
