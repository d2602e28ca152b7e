"""Models stand back behind the gateway as far as the machine lets them, and run in any case."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from wronglung.supervisor import behind as module
from wronglung.supervisor.behind import NICENESS, behind, step_back

REAL = Path("/proc/self/autogroup")
PRINT = (
    "import os, pathlib; print(os.nice(0), pathlib.Path('/proc/self/autogroup').read_text() if {autogroups} else '')"
)


@pytest.fixture
def niceness(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[int]:
    """What the process is made, in place of the tests' own; the session's goes to a file."""
    told: list[int] = []
    monkeypatch.setattr(os, "nice", told.append)
    monkeypatch.setattr(module, "_AUTOGROUP", tmp_path / "autogroup")
    monkeypatch.setattr(module, "_PAUSE_S", 0.0)
    return told


def failing(errors: Sequence[type[OSError]], then: Callable[[], None]) -> Callable[[], None]:
    left = list(errors)

    def act() -> None:
        if left:
            raise left.pop(0)
        then()

    return act


def test_a_command_runs_behind_others() -> None:
    found = subprocess.run(
        behind([sys.executable, "-c", PRINT.format(autogroups=REAL.exists())]),
        capture_output=True,
        text=True,
        check=True,
        start_new_session=True,
    )
    assert int(found.stdout.split()[0]) == min(19, os.nice(0) + NICENESS)
    assert not REAL.exists() or found.stdout.endswith("nice 5\n\n") or "session keeps its priority" in found.stderr


def test_process_and_session_are_told(niceness: list[int], tmp_path: Path) -> None:
    (tmp_path / "autogroup").write_text("")
    step_back()
    assert niceness == [10]
    assert (tmp_path / "autogroup").read_text() == "5"


def test_a_kernel_without_autogroups_is_no_fault(niceness: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    step_back()
    assert niceness == [10]
    assert capsys.readouterr().err == ""


def test_a_kernel_that_has_just_taken_another_change_is_asked_again(
    niceness: list[int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done: list[bool] = []
    monkeypatch.setattr(module, "_write_autogroup", failing([BlockingIOError] * 4, lambda: done.append(True)))
    step_back()
    assert (done, capsys.readouterr().err) == ([True], "")


@pytest.mark.parametrize("error", [BlockingIOError, PermissionError])
def test_what_cannot_be_set_is_said_and_the_models_run_all_the_same(
    error: type[OSError],
    niceness: list[int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(module, "_write_autogroup", failing([error] * 5, lambda: None))
    step_back()
    assert "session keeps its priority" in capsys.readouterr().err
    assert niceness == [10]


def test_a_machine_that_forbids_niceness_runs_the_models_too(
    niceness: list[int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def forbidden(_: int) -> int:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "nice", forbidden)
    step_back()
    assert "process keeps its priority, an overload may be refused slowly" in capsys.readouterr().err
