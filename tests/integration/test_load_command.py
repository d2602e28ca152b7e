"""`python -m harness.load` against a real server: a short load is answered, measured and written down."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import repository
from tests.serving import Instance

pytestmark = pytest.mark.integration


def run_load(target: str, out: Path, *flags: str) -> "subprocess.CompletedProcess[str]":
    """A load of two seconds, one and then two callers."""
    plan = ["--callers", "1,2", "--step-seconds", "1", "--out", str(out), "--host", target]
    return subprocess.run(
        [sys.executable, "-m", "harness.load", *plan, *flags],
        cwd=repository.ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_load_is_answered_and_its_knee_named(server: Instance, tmp_path: Path) -> None:
    done = run_load(server.target, tmp_path / "load")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\nknee: " in done.stdout
    assert "\ngenerator: " in done.stdout
    tree = json.loads((tmp_path / "load" / "load.json").read_text())
    assert [step["callers"] for step in tree["steps"]] == [1, 2]
    assert all(step["requests_per_s"] > 0 and step["failed"] == 0 for step in tree["steps"])
    assert "<html" in (tmp_path / "load" / "report.html").read_text()


def test_without_a_server_it_fails_and_says_what_to_do(tmp_path: Path) -> None:
    done = run_load("127.0.0.1:1", tmp_path / "load")
    assert done.returncode != 0
    assert "wronglung serve" in done.stdout + done.stderr
