"""Under the clock the time of day jumps, and everything that waits goes on waiting as long as it should."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.faults.clock import Clock
from tests import needs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="LD_PRELOAD")

SCRIPT = """
import json, queue, subprocess, sys, threading, time
def both(): return time.time(), time.monotonic()
def waited(wait):
    began = time.monotonic()
    wait()
    return time.monotonic() - began
began = both()
sys.stdout.write("ready\\n"); sys.stdout.flush(); sys.stdin.readline()
jumped = [now - then for now, then in zip(both(), began)]
waits = [waited(lambda: time.sleep(0.1)), waited(lambda: threading.Event().wait(0.1))]
child = float(subprocess.run(["date", "+%s"], capture_output=True, check=True).stdout)
print(json.dumps({"jumped": jumped, "waits": waits, "child": child - time.time()}))
"""


@pytest.mark.parametrize("seconds", [3600, -3600])
def test_the_time_of_day_jumps_and_nothing_else(tmp_path: Path, seconds: int) -> None:
    clock = Clock(tmp_path)
    if clock.missing():
        needs.skip("cc", clock.missing())
    environment = os.environ | clock.environment()
    command = [sys.executable, "-c", SCRIPT]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "ready\n"
        clock.jump(seconds)
        found = json.loads(process.communicate("go\n", timeout=30)[0])
    of_day, monotonic = found["jumped"]
    assert of_day - monotonic == pytest.approx(seconds, abs=0.5)
    assert monotonic < 30
    assert all(0.1 <= each < 5 for each in found["waits"])
    assert abs(found["child"]) < 5  # whoever is started under it sees the same time
