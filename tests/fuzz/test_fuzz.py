"""Specification of fuzzing: it finds what it is there to find, and a short run of it finds nothing."""

import random
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from tests import needs
from tests.fuzz.targets import TARGETS, structured
from tests.fuzz.watch import Allowance, Finding, examine
from tests.repository import ROOT

INPUTS = {"isolated": 1, "envelope": 40}
"""Elsewhere 150: these cost a process each, or three answers of a model."""


@pytest.mark.filterwarnings("ignore::UserWarning")  # of pydicom
@pytest.mark.parametrize("name", TARGETS)
def test_what_knows_the_structure_of_an_input_finds_nothing(name: str) -> None:
    target, rng = TARGETS[name], random.Random(0)
    check = target.open()
    for data in target.seeds():
        examine(check, data, target.allowance)
    for _ in range(INPUTS.get(name, 150)):
        examine(check, structured(target, rng), target.allowance)


@pytest.mark.parametrize("name", TARGETS)
def test_an_input_is_made_again_from_the_same_number(name: str) -> None:
    first, second = (
        [structured(TARGETS[name], rng) for _ in range(20)] for rng in (random.Random(3), random.Random(3))
    )
    assert first == second
    assert len(set(first)) > 10


def busy(_: bytes) -> float:
    started = time.process_time()
    while time.process_time() - started < 0.3:
        pass
    return 0.0


def greedy(_: bytes) -> float:
    np.ones(64 << 20, np.uint8)
    return 0.0


def without_numbers(_: bytes) -> float:
    np.array([np.inf]) - np.array([np.inf])
    return 0.0


@pytest.mark.parametrize(
    ("check", "what"),
    [(busy, "CPU time"), (greedy, "MiB"), (without_numbers, "no number")],
    ids=["takes long", "takes memory", "computes with what is no number"],
)
def test_an_input_that_does_what_it_must_not_is_a_finding(check: Callable[[bytes], float], what: str) -> None:
    with pytest.raises(Finding, match=what):
        examine(check, b"data", Allowance(cpu_s=0.2, mib=32))


def test_an_image_may_take_what_its_size_takes() -> None:
    examine(lambda data: busy(data) or greedy(data) or 10.0, b"data", Allowance(0.2, 0.1, 32, 10))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_minute_of_guided_fuzzing_finds_nothing(tmp_path: Path) -> None:
    needs.complete_machine("fuzzes for a minute")
    if find_spec("atheris") is None:
        needs.skip("atheris", "pip install '.[fuzz]'")
    command = [sys.executable, "-m", "tests.fuzz", "--cpu-minutes", "1", "--output", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = {line.split("|")[1].strip(): int(line.split("|")[3]) for line in done.stdout.splitlines()[2:]}
    assert figures.keys() == TARGETS.keys()
    assert figures["dicom"] > 100
