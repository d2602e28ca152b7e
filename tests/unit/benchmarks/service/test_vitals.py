"""What a process takes is what it took."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.service.served import Served
from benchmarks.service.vitals import Vitals, take

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


_TAKER = """
import sys
import numpy as np
print("ready", flush=True)
sys.stdin.readline()
file, taken = open(sys.argv[1], "w"), np.ones(10_000_000)
print("taken", flush=True)
sys.stdin.readline()
"""


def of(pid: int) -> Vitals:
    return next(each for each in take(Served("", "", pid)) if each.pid == pid)


def test_memory_files_and_cpu_time_are_seen(tmp_path: Path) -> None:
    """Of a process of its own: this one may let go of what earlier tests took, at any moment."""
    command = [sys.executable, "-c", _TAKER, str(tmp_path / "file")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as taker:
        assert taker.stdin is not None
        assert taker.stdout is not None
        assert taker.stdout.readline() == "ready\n"
        before = of(taker.pid)
        taker.stdin.write("go on\n")
        taker.stdin.flush()
        assert taker.stdout.readline() == "taken\n"
        after = of(taker.pid)
        taker.stdin.close()
    assert after.own_mib - before.own_mib == pytest.approx(76, abs=10)
    assert after.files == before.files + 1
    assert after.cpu_s >= before.cpu_s
