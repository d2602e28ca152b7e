"""Says whether a run passes its gate."""

from harness.finished import FinishedRun
from harness.gate.options import GateCheck


def passes(gate: GateCheck | None, finished: FinishedRun) -> bool:
    """Print the verdicts; without a gate every run passes."""
    if gate is None:
        return True
    text, passed = gate.judge(finished)
    print(f"\n{text}")
    return passed
