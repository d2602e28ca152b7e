"""A worker and the gateway are killed while the harness is at work: its client asks again, and the run ends with the
bytes of one that was never disturbed."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.harness_fakes import write_jsonl
from tests.serving import Instance, random_store, serving

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="processes of Linux"),
]

IMAGES, IMAGES_PER_PART = 60, 5
FILES = ("summary.json", "cases.parquet", "gallery/index.json")
RUN = f"""\
name: hurt
dataset: {{kind: jsonl, path: DATA}}
models: [encoder]
perturbations: [none, swap_left_right]
subsets: [all]
profiles: [exact]
resamples: 100
images_per_part: {IMAGES_PER_PART}
window: 2
gallery: {{best: 1, worst: 0, ignores_swap: 0, random: 0}}
out: unused
"""


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A real server, to be hurt."""
    with serving(random_store(tmp_path_factory.mktemp("store")), ["encoder"], "--drain", "5") as instance:
        yield instance


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    path = tmp_path / "run.yaml"
    path.write_text(RUN.replace("DATA", str(write_jsonl(tmp_path, IMAGES))))
    return path


def begin(victim: Instance, run_file: Path, out: Path) -> "subprocess.Popen[bytes]":
    script = "import sys; from harness.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", script, "run", str(run_file), "--out", str(out)]
    environment = {**os.environ, "WRONGLUNG_TARGET": victim.target}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)


def kill_when(parts: int, of: Callable[[], psutil.Process], out: Path, harness: "subprocess.Popen[bytes]") -> None:
    """Kill a part of the server as soon as so many parts of the run are there."""
    while len(list(out.glob("parts/part-*"))) < parts:
        assert harness.poll() is None, "the run ended before anything could be killed"
        time.sleep(0.002)
    of().kill()
    assert harness.poll() is None, "the run ended before anything could be killed"


def test_a_run_outlives_its_worker_and_its_gateway(victim: Instance, run_file: Path, tmp_path: Path) -> None:
    assert begin(victim, run_file, tmp_path / "whole").wait(120) == 0
    gateway, (worker,) = victim.gateway, victim.workers
    out = tmp_path / "hurt"
    harness = begin(victim, run_file, out)
    try:
        kill_when(2, lambda: worker, out, harness)
        kill_when(5, lambda: gateway, out, harness)
        assert harness.wait(180) == 0
    finally:
        harness.kill()
        harness.wait()
    for name in FILES:
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert victim.gateway != gateway
    assert victim.workers != [worker]
