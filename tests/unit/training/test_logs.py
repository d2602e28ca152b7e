"""Every look is written down as it happens; what a resumed run does again is not there twice."""

import csv
import sys
from pathlib import Path

import pytest

from harness.settings import ConfigError
from training.logs import LOG_FILE, TENSORBOARD_FOLDER, check_logs, open_logs

COLUMNS = ("step", "train_loss", "best")


def row(step: int) -> dict[str, float]:
    return {"step": step, "train_loss": step + 0.123456789, "best": step % 2}


def steps(folder: Path) -> list[str]:
    with (folder / LOG_FILE).open() as file:
        return [line["step"] for line in csv.DictReader(file)]


def test_a_row_is_on_disk_at_once(tmp_path: Path) -> None:
    with open_logs(["csv"], tmp_path, COLUMNS, after=0) as write:
        write(row(2))
        assert (tmp_path / LOG_FILE).read_text().split() == ["step,train_loss,best", "2,2.1235,0"]


def test_a_new_run_begins_anew_and_a_resumed_one_goes_on(tmp_path: Path) -> None:
    with open_logs(["csv"], tmp_path, COLUMNS, after=0) as write:
        for step in (2, 4, 6):
            write(row(step))
    with open_logs(["csv"], tmp_path, COLUMNS, after=4) as write:
        write(row(6))
    assert steps(tmp_path) == ["2", "4", "6"]
    with open_logs(["csv"], tmp_path, COLUMNS, after=0):
        pass
    assert steps(tmp_path) == []


def test_tensorboard_reads_the_curves(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with open_logs(["csv", "tensorboard"], tmp_path, COLUMNS, after=0) as write:
        for step in (2, 4):
            write(row(step))
    with open_logs(["csv", "tensorboard"], tmp_path, COLUMNS, after=2) as write:
        write({**row(4), "train_loss": 0.5})
    board = EventAccumulator(str(tmp_path / TENSORBOARD_FOLDER))
    board.Reload()
    assert [(event.step, event.value) for event in board.Scalars("train_loss")] == [
        (2, pytest.approx(2.123456789)),
        (4, 0.5),
    ]


def test_a_missing_package_is_named_with_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    check_logs(["csv"])
    with pytest.raises(ConfigError, match=r"pip install 'wronglung\[tensorboard\]'"):
        check_logs(["csv", "tensorboard"])
