"""The harness is killed at random points, again and again: the run that is resumed ends with the bytes of one that was
never disturbed. The gateway is real, TorchServe behind it is not."""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from tests.harness_fakes import write_jsonl
from tests.served_fake import served

pytestmark = [pytest.mark.integration, pytest.mark.slow]

KILLS = 30
KILLS_OF_ONE_RUN = 5
SEED = 20221
IMAGES = 12
FILES = ("summary.json", "cases.parquet", "maps.npz", "gallery")
RUN = """\
name: killed
dataset: {{kind: jsonl, path: {data}}}
models: [encoder]
perturbations: [none, swap_left_right, random_sentences]
subsets: [all]
profiles: [exact]
resamples: 100
images_per_part: 2
window: 2
save_maps: true
gallery: {{best: 1, worst: 0, ignores_swap: 1, random: 1}}
out: unused
"""


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("gateway")) as address:
        yield address


@pytest.fixture(scope="module")
def run_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run file beside its data set."""
    folder = tmp_path_factory.mktemp("data")
    data = write_jsonl(folder, IMAGES)
    path = folder / "run.yaml"
    path.write_text(RUN.format(data=data))
    return path


def harness(arguments: list[str], target: str) -> None:
    """What a process of its own does."""
    from harness.cli import main

    os.environ["WRONGLUNG_TARGET"] = target
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        os._exit(main(arguments))


@pytest.fixture(scope="module")
def processes() -> multiprocessing.context.ForkServerContext:
    """Starts processes that have imported everything, so that most of their lives is the run itself."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["harness.cli"])
    return context


@pytest.fixture(scope="module")
def undisturbed(
    processes: multiprocessing.context.ForkServerContext,
    run_file: Path,
    target: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, float]:
    """A run that nobody kills: its directory and how many seconds one takes."""
    seconds = []
    for name in ("to_warm_up", "to_measure"):
        out = tmp_path_factory.mktemp(name) / "run"
        start = time.monotonic()
        finish(begin(processes, run_file, out, target))
        seconds.append(time.monotonic() - start)
    return out, seconds[-1]


def begin(processes: multiprocessing.context.ForkServerContext, run_file: Path, out: Path, target: str) -> BaseProcess:
    process = processes.Process(target=harness, args=(["run", str(run_file), "--out", str(out), "--resume"], target))
    process.start()
    return process


def finish(process: BaseProcess) -> None:
    process.join(120)
    assert process.exitcode == 0


def kill(process: BaseProcess, after_s: float) -> bool:
    """Whether it was still at work when the signal came."""
    process.join(after_s)
    if process.exitcode is not None:
        assert process.exitcode == 0
        return False
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    return process.exitcode == -signal.SIGKILL


def contents(path: Path) -> dict[str, bytes]:
    """The bytes of a file, or of every file of a folder."""
    return {file.name: file.read_bytes() for file in (path.iterdir() if path.is_dir() else [path])}


def reached(out: Path) -> str:
    """How far a killed run had come."""
    if (out / "manifest.json").exists():
        return "report"
    if (out / "cases.parquet").exists():
        return "summary"
    return "parts" if list(out.glob("parts/part-*")) else "nothing"


def test_a_harness_that_is_killed_again_and_again_ends_with_the_same_bytes(
    processes: multiprocessing.context.ForkServerContext,
    undisturbed: tuple[Path, float],
    run_file: Path,
    target: str,
    tmp_path: Path,
) -> None:
    whole, seconds = undisturbed
    rng = random.Random(SEED)
    kills: list[str] = []
    runs = 0
    while len(kills) < KILLS:
        out = tmp_path / str(runs)
        runs += 1
        for _ in range(KILLS_OF_ONE_RUN):
            if kill(begin(processes, run_file, out, target), rng.uniform(0, seconds)):
                kills.append(reached(out))
        finish(begin(processes, run_file, out, target))
        for name in FILES:
            assert contents(out / name) == contents(whole / name), (name, runs, kills)
        assert (out / "report.html").is_file()
        assert sorted(p.name for p in out.iterdir()) == sorted(p.name for p in whole.iterdir()), (
            "something is left over"
        )
    assert {"parts", "summary"} <= set(kills), kills
