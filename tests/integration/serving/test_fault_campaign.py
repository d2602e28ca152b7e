"""Ten faults in short, on a real server. Whole, with every kind: ``python -m benchmarks.faults``."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import needs
from tests.repository import ROOT

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="processes of Linux"),
]

KINDS = (
    "worker killed",
    "backend killed",
    "gateway killed",
    "connection cut in mid-message",
    "10% packet loss",
    "clock jump",
    "flood at 4 times capacity",
)
"""Those that are over soon: no new server, no full disk, no want of memory."""


def test_ten_faults_under_load_break_no_promise(tmp_path: Path) -> None:
    needs.complete_machine("hurts a server of its own for a minute")
    command = [sys.executable, "-m", "benchmarks.faults", "--faults", "10", "--models", "encoder", "--lasting", "0.5"]
    done = subprocess.run(
        [*command, "--output", str(tmp_path), "--kinds", *KINDS],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    found = json.loads((tmp_path / "faults.json").read_text())
    assert len(found["faults"]) == 10
    assert found["left_out"] == {}
    assert {each["kind"] for each in found["faults"]} == set(KINDS)
    assert sum(each["calls"].get("right", 0) for each in found["faults"]) > 20
    assert found["broken"] == []
