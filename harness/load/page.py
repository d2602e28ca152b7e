"""What the load test says: lines for the terminal and a file for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.load.steps import Step, knee

BUSY = 0.9
"""Above this share of a core the generator may have been the limit."""


@dataclass(frozen=True, slots=True)
class LoadResult:
    """The measured steps and how busy the generator was, as a share of one core (it runs on one)."""

    steps: Sequence[Step]
    generator_cpu: float

    def lines(self) -> list[str]:
        """A table with one row per step, the knee in words, and the generator's own share."""
        head = (
            f"{'callers':>8}{'requests/s':>12}{'sentences/s':>13}{'p50 ms':>9}{'p95 ms':>9}{'refused':>9}{'failed':>8}"
        )
        rows = [
            f"{s.callers:>8}{s.requests_per_s:>12.1f}{s.sentences_per_s:>13.1f}"
            f"{s.p50_ms:>9.0f}{s.p95_ms:>9.0f}{s.refused:>9}{s.failed:>8}"
            for s in self.steps
        ]
        return [head, *rows, self._knee(), self._generator()]

    def _knee(self) -> str:
        found = knee(self.steps)
        if found is None:
            return "knee: none, a single caller got no answer"
        text = f"knee: {found.requests_per_s:.1f} requests/s with {found.callers} callers, p95 {found.p95_ms:.0f} ms"
        if found is self.steps[-1]:
            return f"{text}; not passed: add steps with more callers (--callers)"
        return f"{text} (one caller: {self.steps[0].p95_ms:.0f} ms); beyond it callers mostly wait"

    def _generator(self) -> str:
        text = f"generator: {self.generator_cpu:.0%} of one core"
        if self.generator_cpu > BUSY:
            return f"{text}: it may have been the limit, so the figures are lower bounds"
        return text

    def write(self, path: Path) -> None:
        """Write everything as JSON; a latency that does not exist is null."""
        found = knee(self.steps)
        tree = {
            "steps": [_row(step) for step in self.steps],
            "knee": _row(found) if found else None,
            "generator_cpu": self.generator_cpu,
        }
        path.write_text(json.dumps(tree, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _row(step: Step) -> dict[str, float | None]:
    return {name: (None if value != value else value) for name, value in asdict(step).items()}
