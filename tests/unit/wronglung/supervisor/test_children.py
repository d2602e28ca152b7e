"""A child that was started only just now is told from an old one, a dead one, and from those of others."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wronglung.supervisor.children import has_young_child

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_only_a_living_young_child_of_that_process_counts() -> None:
    program = "import subprocess, sys; child = subprocess.Popen(['sleep', '60']); print(child.pid, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert has_young_child(parent.pid, 60)
        assert not has_young_child(child, 60)
        time.sleep(0.2)
        assert not has_young_child(parent.pid, 0.1)
        os.kill(child, 9)
        deadline = time.monotonic() + 5
        while has_young_child(parent.pid, 60):  # a zombie, for its parent never asks
            assert time.monotonic() < deadline
            time.sleep(0.01)
        parent.communicate(b"\n")


def test_where_processes_cannot_be_seen_there_is_none(tmp_path: Path) -> None:
    assert not has_young_child(os.getpid(), 60, tmp_path / "nothing")
