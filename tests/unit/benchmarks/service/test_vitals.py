"""What a process takes is what it took."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.service.served import Served
from benchmarks.service.vitals import Vitals, take

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def of_this_process() -> Vitals:
    return next(each for each in take(Served("", "", os.getpid())) if each.pid == os.getpid())


def test_memory_files_and_cpu_time_are_seen(tmp_path: Path) -> None:
    before = of_this_process()
    with (tmp_path / "file").open("w"):
        taken = np.ones(10_000_000)
        after = of_this_process()
    assert taken.sum() == 10_000_000
    assert after.own_mib - before.own_mib == pytest.approx(76, abs=10)
    assert after.files == before.files + 1
    assert after.cpu_s >= before.cpu_s
