"""Memory that is left, under the limits of control groups of both versions."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from wronglung.commands import doctor
from wronglung.memory import available_memory, can_have

MIB = 1 << 20
V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
V2 = ("memory.max", "memory.current", "inactive_file")


def group(directory: Path, names: tuple[str, str, str], limit: str, used: int, reclaimable: int = 0) -> None:
    """Write the files of a control group."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / names[0]).write_text(f"{limit}\n")
    (directory / names[1]).write_text(f"{used}\n")
    (directory / "memory.stat").write_text(f"anon {used}\n{names[2]} {reclaimable}\n")


def left(directory: Path, membership: str) -> int:
    """What is left to a process with this membership."""
    (directory / "membership").write_text(membership)
    return available_memory(directory / "membership", directory)


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with 8 GiB left."""
    memory = psutil.virtual_memory()._replace(available=8192 * MIB)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)


@pytest.mark.parametrize(
    ("names", "mount", "membership"),
    [(V2, "", "0::/\n"), (V1, "memory", "7:cpu,cpuacct:/\n4:memory:/\n0::/\n")],
    ids=["version 2", "version 1"],
)
def test_the_limit_of_a_container_counts(
    tmp_path: Path, names: tuple[str, str, str], mount: str, membership: str
) -> None:
    group(tmp_path / mount, names, str(1000 * MIB), 300 * MIB)
    assert left(tmp_path, membership) == 700 * MIB
    group(tmp_path / mount, names, str(1000 * MIB), 300 * MIB, reclaimable=200 * MIB)
    assert left(tmp_path, membership) == 900 * MIB
    group(tmp_path / mount, names, str(1000 * MIB), 1001 * MIB)
    assert left(tmp_path, membership) == 0


def test_the_strictest_of_the_groups_above_decides(tmp_path: Path) -> None:
    group(tmp_path / "slice", V2, str(500 * MIB), 0)
    group(tmp_path / "slice" / "service", V2, "max", 0)
    assert left(tmp_path, "0::/slice/service\n") == 500 * MIB


def test_the_mounted_root_counts_where_the_path_is_the_hosts(tmp_path: Path) -> None:
    group(tmp_path / "memory", V1, str(500 * MIB), 0)
    assert left(tmp_path, "4:memory:/docker/0123\n") == 500 * MIB


def test_without_a_limit_it_is_what_the_machine_has(tmp_path: Path) -> None:
    group(tmp_path, V2, "max", 300 * MIB)
    group(tmp_path / "memory", V1, "9223372036854771712", 300 * MIB)
    assert left(tmp_path, "4:memory:/\n0::/\n") == 8192 * MIB
    assert left(tmp_path / "memory", "0::/elsewhere\n") == 8192 * MIB
    assert available_memory(tmp_path / "missing", tmp_path) == 8192 * MIB


def test_the_doctor_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wronglung.memory.available_memory", lambda: 100 * MIB)
    with pytest.raises(OSError, match="100 MiB available"):
        doctor._memory([])


def test_what_a_process_can_still_have_ends_at_its_own_limit() -> None:
    script = """
import resource, psutil
from wronglung.memory import can_have
before = can_have(64 << 20)
taken = psutil.Process().memory_info().vms
resource.setrlimit(resource.RLIMIT_AS, (taken + (32 << 20), resource.RLIM_INFINITY))
print(before, can_have(64 << 20), can_have(1 << 20))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False", "True"]


def test_asking_takes_nothing() -> None:
    before = psutil.Process().memory_info().vms
    assert can_have(256 * MIB)
    assert psutil.Process().memory_info().vms < before + 256 * MIB
