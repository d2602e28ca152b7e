"""What calls under load amount to."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.service.calls import ANSWERED, REFUSED, Ended


@dataclass(frozen=True, slots=True)
class Figures:
    """Rates per second, latencies in milliseconds (NaN where there is no call of the kind)."""

    offered_per_s: float
    goodput_per_s: float
    """Answers, not refusals, not errors."""
    p50_ms: float
    p99_ms: float
    """Of the answered."""
    refusals: int
    refusals_p95_ms: float
    failures: dict[str, int]
    """Calls that were neither answered nor refused, by status."""
    late_p99_ms: float
    """How late the generator itself was."""


def figures(blocks: Sequence[Sequence[Ended]], seconds: float, settling_s: float = 0.0) -> Figures:
    """Figures of blocks of load of the same kind, together.

    Args:
        blocks: the calls of each.
        seconds: how long calls were sent in each.
        settling_s: what was to be sent before this time in its block does not count. Answers count by when they ended,
            offers and latencies by when they were to be sent.
    """
    calls = [call for block in blocks for call in block]
    counted = [call for call in calls if call.intended_s >= settling_s]
    answered = [call for call in counted if call.status == ANSWERED]
    refused = [call for call in counted if call.status == REFUSED]
    good = sum(call.status == ANSWERED and settling_s <= call.ended_s < seconds for call in calls)
    span_s = len(blocks) * (seconds - settling_s)
    return Figures(
        offered_per_s=len(counted) / span_s,
        goodput_per_s=good / span_s,
        p50_ms=_percentile([call.latency_s for call in answered], 50),
        p99_ms=_percentile([call.latency_s for call in answered], 99),
        refusals=len(refused),
        refusals_p95_ms=_percentile([call.latency_s for call in refused], 95),
        failures=dict(Counter(call.status for call in counted if call.status not in {ANSWERED, REFUSED})),
        late_p99_ms=_percentile([call.sent_s - call.intended_s for call in counted], 99),
    )


def _percentile(seconds: Sequence[float], q: float) -> float:
    return 1000 * float(np.percentile(seconds, q)) if seconds else float("nan")
