"""A load that rises in steps, what was measured in each, and the knee of the curve. No clock, no network."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

SETTLING = 0.15
"""Share of a step that is not counted: callers are still being added."""
PATIENCE = 2.0
"""p95 counts as near the base up to this multiple of it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """So many callers, each with one request in flight, for `step_s` seconds each.

    Raises:
        ValueError: there is no step, the numbers do not rise, or a step has no duration.
    """

    callers: tuple[int, ...]
    step_s: float

    def __post_init__(self) -> None:
        rising = all(a < b for a, b in zip((0, *self.callers), self.callers, strict=False))
        if not self.callers or not rising or self.step_s <= 0:
            raise ValueError(f"steps must be rising numbers of callers and last some time, got {self}")

    @property
    def seconds(self) -> float:
        """How long the whole plan takes."""
        return self.step_s * len(self.callers)

    def step_at(self, elapsed_s: float) -> int | None:
        """Index of the step at this time since the start, None after the last."""
        index = int(elapsed_s // self.step_s)
        return index if 0 <= index < len(self.callers) else None

    def counted(self, elapsed_s: float) -> bool:
        """Whether what ends at this time belongs to the settled part of its step."""
        return self.step_at(elapsed_s) is not None and elapsed_s % self.step_s >= SETTLING * self.step_s

    @property
    def counted_s(self) -> float:
        """Settled seconds of one step."""
        return self.step_s * (1 - SETTLING)


Outcome = Literal["answered", "refused", "failed"]
"""A server that is full refuses at once and says so; that is its duty and no failure."""


@dataclass(frozen=True, slots=True)
class Ended:
    """One request that ended."""

    at_s: float
    """Seconds since the start of the load."""
    latency_ms: float
    sentences: int
    outcome: Outcome = "answered"


@dataclass(frozen=True, slots=True)
class Step:
    """What was measured in the settled part of one step. Rates and latencies are of answers; NaN stands for none."""

    callers: int
    requests_per_s: float
    sentences_per_s: float
    p50_ms: float
    p95_ms: float
    refused: int
    failed: int


def measure(plan: Plan, requests: Sequence[Ended]) -> list[Step]:
    """One row per step of the plan."""
    by_step: list[list[Ended]] = [[] for _ in plan.callers]
    for request in requests:
        index = plan.step_at(request.at_s)
        if index is not None and plan.counted(request.at_s):
            by_step[index].append(request)
    return [_step(callers, plan.counted_s, chunk) for callers, chunk in zip(plan.callers, by_step, strict=True)]


def _step(callers: int, seconds: float, requests: Sequence[Ended]) -> Step:
    answered = [request for request in requests if request.outcome == "answered"]
    p50, p95 = np.percentile([r.latency_ms for r in answered], [50, 95]) if answered else (np.nan, np.nan)
    return Step(
        callers=callers,
        requests_per_s=len(answered) / seconds,
        sentences_per_s=sum(r.sentences for r in answered) / seconds,
        p50_ms=float(p50),
        p95_ms=float(p95),
        refused=sum(r.outcome == "refused" for r in requests),
        failed=sum(r.outcome == "failed" for r in requests),
    )


def knee(steps: Sequence[Step]) -> Step | None:
    """The highest rate that callers get without waiting.

    Of the steps before the first whose p95 passes `PATIENCE` × that of one caller, or in which a request was refused,
    the one with the highest rate. None when the first step has no answer.
    """
    if not steps or np.isnan(steps[0].p95_ms):
        return None
    bearable = []
    for step in steps:
        if step.refused or not step.p95_ms <= PATIENCE * steps[0].p95_ms:
            break
        bearable.append(step)
    return max(bearable, key=lambda step: step.requests_per_s)
