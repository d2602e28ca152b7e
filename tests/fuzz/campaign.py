"""Runs the targets one after the other, each for its share of CPU time, and counts what was done and found."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.fuzz.targets import TARGETS
from tests.repository import ROOT

_PROGRESS = re.compile(rb"\bcov: (\d+) ft: \d+ corp: (\d+)")
_MOST_FINDINGS = 20
"""A target that fails this often is mended first."""
_LEAST_CPU_S = 4.0
"""Below this, what is left of a target's time would go into importing it."""


@dataclass
class Tally:
    """What was done with one target."""

    target: str
    cpu_s: float = 0.0
    executions: int = 0
    code_reached: int = 0
    """Branches of Python code, as libFuzzer counts them."""
    corpus: int = 0
    """Inputs that each reached something new."""
    findings: list[str] = field(default_factory=list)
    """Last line of each failure."""


def run(targets: Sequence[str], cpu_s: float, seed: int, folder: Path) -> list[Tally]:
    """Fuzz the targets, each for its share of so many CPU seconds; writes `fuzz.json` into the folder."""
    tallies = []
    shares = sum(TARGETS[target].share for target in targets)
    for target in targets:
        tallies.append(_run_target(target, cpu_s * TARGETS[target].share / shares, seed, folder / target))
        (folder / "fuzz.json").write_text(json.dumps([asdict(each) for each in tallies], indent=1) + "\n")
    return tallies


def _run_target(target: str, cpu_s: float, seed: int, folder: Path) -> Tally:
    """Start anew after each finding, until the time is used up."""
    tally = Tally(target)
    folder.mkdir(parents=True, exist_ok=True)
    while cpu_s - tally.cpu_s > _LEAST_CPU_S and len(tally.findings) < _MOST_FINDINGS:
        attempt = len(tally.findings)
        log = folder / f"log-{attempt}"
        (folder / "run.json").unlink(missing_ok=True)
        command = [
            sys.executable,
            "-m",
            "tests.fuzz.guided",
            target,
            str(cpu_s - tally.cpu_s),
            str(seed + attempt),
            str(folder),
        ]
        with log.open("wb") as output:
            status = subprocess.run(command, stdout=output, stderr=output, cwd=ROOT, check=False).returncode
        _add(tally, folder, log.read_bytes(), status)
    return tally


def _add(tally: Tally, folder: Path, log: bytes, status: int) -> None:
    if progress := _PROGRESS.findall(log):
        tally.code_reached, tally.corpus = (int(number) for number in progress[-1])
    report = folder / "run.json"
    if not report.exists():
        raise RuntimeError(
            f"{tally.target}: ended by status {status} before or in the middle of an input; see {folder}"
        )
    done = json.loads(report.read_text())
    tally.cpu_s += done["cpu_s"]
    tally.executions += done["executions"]
    if status != 0:
        tally.findings.append(_failure(log))


def _failure(log: bytes) -> str:
    """The line of a traceback that says what was wrong."""
    lines = log.decode(errors="replace").splitlines()
    raised = [line for line in lines if re.match(r"[\w.]+(Error|Exception|Finding)\b", line)]
    return (raised or ["the process ended: see the log"])[-1][:300]
