"""What commands tell people while something takes its time: on a terminal, and in a log."""

import errno
import io
from datetime import UTC, datetime

import pytest

from wronglung.console import Console

CLEAR = "\r\x1b[K"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_log_gets_a_line_with_its_time_every_ten_seconds(clock: Clock) -> None:
    log, begun_s = io.StringIO(), datetime(2026, 12, 1, tzinfo=UTC).timestamp() - clock()
    console = Console("serve", log, clock, lambda: datetime.fromtimestamp(begun_s + clock(), UTC))
    for tenth in range(250):
        clock.now = 100 + tenth / 10
        console.waiting(f"starting for {tenth // 10} s")
    assert log.getvalue().splitlines() == [
        "2026-12-01T00:00:10.000+00:00 wronglung serve: starting for 10 s",
        "2026-12-01T00:00:20.000+00:00 wronglung serve: starting for 20 s",
    ]


def test_a_terminal_gets_one_line_that_changes_and_goes(clock: Clock) -> None:
    terminal = Terminal()
    console = Console("serve", terminal, clock)
    for tenth in range(25):
        clock.now = 100 + tenth / 10
        console.waiting(f"starting for {tenth // 10} s")
    console.say("ready")
    name = "wronglung serve: "
    assert terminal.getvalue() == f"{name}starting for 1 s{CLEAR}{name}starting for 2 s{CLEAR}{name}ready\n"


def test_a_line_that_would_wrap_is_cut(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    terminal = Terminal()
    console = Console("serve", terminal, clock)
    clock.now += 1
    console.waiting("x" * 100)
    assert len(terminal.getvalue()) == 39


def test_a_step_of_some_size_is_a_line_every_ten_seconds_in_a_log(clock: Clock) -> None:
    log = io.StringIO()
    step = Console("build-archives", log, clock).progress("archive of gloria", 300 << 20)
    for _ in range(300):
        clock.now += 0.1
        step(1 << 20)
    lines = log.getvalue().splitlines()
    assert len(lines) in (2, 3)
    said = [f"wronglung build-archives: archive of gloria: {mib} of 300 MiB" for mib in (100, 101)]
    assert lines[0].partition(" ")[2] in said


def test_a_quick_step_is_not_worth_a_line(clock: Clock) -> None:
    log, terminal = io.StringIO(), Terminal()
    for stream in (log, terminal):
        Console("build-archives", stream, clock).progress("archive of encoder", 7)(7)
        assert stream.getvalue() == ""


def test_a_step_of_some_size_is_a_bar_on_a_terminal(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wronglung.console._NO_BAR_BEFORE_S", 0)
    terminal = Terminal()
    step = Console("build-archives", terminal, clock).progress("archive of gloria", 7 << 20)
    step(3 << 20)
    step(4 << 20)
    assert "archive of gloria" in terminal.getvalue()
    assert "100%" in terminal.getvalue()
    assert "7.00M/7.00M" in terminal.getvalue()
    assert terminal.getvalue().endswith("\n")


class FullDisk(io.StringIO):
    """What standard error is when its file lies on a full disk."""

    full = True

    def flush(self) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")


def test_what_cannot_be_written_ends_nothing() -> None:
    """A supervisor that has to tell of a worker's end shall start it again, whether or not it can tell."""
    log = FullDisk()
    console = Console("serve", log)
    console.say("no answer from encoder")
    log.full = False
    console.say("ready")
    assert log.getvalue().endswith("wronglung serve: ready\n")
