"""The options --gate and --junit of the commands that have results to judge."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from harness.finished import FinishedRun
from harness.gate.conditions import Gate, load_gate
from harness.gate.judge import judge, told
from harness.gate.junit import junit_bytes
from harness.results import write_bytes
from harness.settings import ConfigError


@dataclass(frozen=True, slots=True)
class GateCheck:
    """A gate, the pinned run that its changes are measured from, and where the verdicts go."""

    gate: Gate
    pinned: FinishedRun | None
    junit: Path | None

    def judge(self, finished: FinishedRun) -> tuple[str, bool]:
        """The verdicts on a run as text, and whether it passes. Writes the JUnit file if one is asked for."""
        verdicts = judge(self.gate, finished, self.pinned)
        if self.junit is not None:
            write_bytes(self.junit, junit_bytes(finished.summary["name"], verdicts))
        return told(verdicts), all(verdict.holds for verdict in verdicts)


def add_gate_options(parser: argparse.ArgumentParser, *, required: bool = False) -> None:
    """Both options."""
    parser.add_argument("--gate", type=Path, metavar="FILE", required=required, help="conditions to pass (YAML)")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write what became of them as JUnit XML")


def read_gate_options(
    options: argparse.Namespace, results: Path, pinned: FinishedRun | None = None
) -> GateCheck | None:
    """What the command line asks for, None without a gate. A fault is told before a long run, not after.

    Args:
        options: the parsed command line.
        results: the directory of the run that is judged, which need not be there yet.
        pinned: the run that changes are measured from, in place of the gate file's.

    Raises:
        ConfigError: the gate file is wrong, its pinned run is missing or the very run that is judged, or there is no
            gate whose verdicts --junit could hold.
    """
    if options.gate is None:
        if options.junit is not None:
            raise ConfigError("--junit tells what became of a gate's conditions: give --gate FILE as well")
        return None
    gate = load_gate(options.gate)
    if gate.asks_for_changes and pinned is None:
        if gate.against is None:
            raise ConfigError(f"{options.gate} has conditions on a change: name the pinned run in it, as against: DIR")
        if gate.against.resolve() == results.resolve():
            raise ConfigError(
                f"{options.gate} measures changes from {gate.against}, which is the run that is judged: a run never "
                "changed from itself. Keep the pinned run in a folder of its own"
            )
        pinned = FinishedRun(gate.against)
    return GateCheck(gate, pinned, options.junit)
