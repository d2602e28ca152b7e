"""Files that change under a running server."""

import asyncio
import logging
from pathlib import Path

import pytest

from wronglung.gateway.metrics import Metrics
from wronglung.gateway.security import reloading
from wronglung.gateway.security.reloading import Reloading


def number(content: bytes) -> int:
    return int(content)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "number"
    path.write_text("1")
    return path


def reading(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, {"subject": "numbers"} | labels)


def test_a_change_is_taken_and_counted(file: Path) -> None:
    metrics = Metrics()
    value = Reloading("numbers", {"--numbers": file}, number, metrics)
    assert value.value == 1
    assert not value.refresh()
    file.write_text("2")
    assert value.refresh()
    assert value.value == 2
    assert reading(metrics, "wronglung_reloads_total", outcome="OK") == 1


@pytest.mark.parametrize("damage", ["half-written", "missing"])
def test_what_cannot_be_used_leaves_the_one_before_in_force(
    file: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = Metrics()
    value = Reloading("numbers", {"--numbers": file}, number, metrics)
    if damage == "missing":
        file.unlink()
    else:
        file.write_text("2x")
    with caplog.at_level(logging.ERROR):
        assert [value.refresh() for _ in range(3)] == [False] * 3
    assert value.value == 1
    assert [record.getMessage() for record in caplog.records] == ["not reloaded: what was read before stays in force"]
    assert reading(metrics, "wronglung_reload_failing") == 1
    assert reading(metrics, "wronglung_reloads_total", outcome="failed") == 1
    file.write_text("3")
    assert value.refresh()
    assert value.value == 3
    assert reading(metrics, "wronglung_reload_failing") == 0


def test_at_the_start_a_damaged_file_is_an_error(file: Path) -> None:
    file.write_text("x")
    with pytest.raises(ValueError, match=f"^--numbers {file}: "):
        Reloading("numbers", {"--numbers": file}, number, Metrics())


@pytest.mark.parametrize("where", ["nowhere", ""])
def test_at_the_start_a_file_that_cannot_be_read_is_named_with_its_option(tmp_path: Path, where: str) -> None:
    """A folder cannot be read either."""
    with pytest.raises(OSError, match=f"^--numbers {tmp_path / where}: .*: give a file"):
        Reloading("numbers", {"--numbers": tmp_path / where}, number, Metrics())


def test_the_variable_is_named_where_it_says_the_same(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRONGLUNG_NUMBERS", str(file))
    file.write_text("x")
    with pytest.raises(ValueError, match=rf"^--numbers {file} \(\$WRONGLUNG_NUMBERS\): "):
        Reloading("numbers", {"--numbers": file}, number, Metrics())
    other = file.with_name("nowhere")
    with pytest.raises(OSError, match=f"^--numbers {other}: "):
        Reloading("numbers", {"--numbers": other}, number, Metrics())


async def test_a_watcher_tells_of_what_is_new_until_it_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reloading, "_POLL_S", 0.01)
    looks, told = iter([False, True, False, True]), list[str]()
    watcher = reloading.Watcher("files", lambda: next(looks, False))
    await watcher.stop()  # not started: nothing to stop
    watcher.start(lambda: told.append("new"))
    async with asyncio.timeout(5):
        while len(told) < 2:
            await asyncio.sleep(0.01)
    await watcher.stop()
    looks = iter([True] * 100)
    await asyncio.sleep(0.1)
    assert told == ["new", "new"]
