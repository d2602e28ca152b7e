"""Intervals and p-values of a whole table, 10,000 resamples: per-patient sums and matrix products against a plain loop.

A table is one arm of a run: 2,500 sentences of 500 patients, every metric of both profiles, paired with another arm.
The loop does what the definition says, one resample after another with numpy over its rows, and is timed on fewer.
"""

from functools import partial

import numpy as np

from benchmarks.cpu_time import median_seconds
from harness.metrics import registered
from harness.optout import decision_auroc, risk_coverage_area
from harness.resampling import digest_names, draws, flips
from harness.statistics import RESAMPLES, Delta, paired_deltas, statistic_interval

SENTENCES, PATIENTS = 2500, 500
LOOPED = 20
REPEATS = 5


def main() -> None:
    """Print the CPU seconds of a table both ways, and their ratio."""
    rng = np.random.default_rng(0)
    names = [f"{profile}_{metric.name}" for profile in ("exact", "paper") for metric in registered(profile)]
    after, before = ({name: rng.random(SENTENCES) for name in names} for _ in range(2))
    owners = [f"patient{rng.integers(PATIENTS)}" for _ in range(SENTENCES)]

    _check_equal(paired_deltas(after, before, owners, LOOPED), _plain(after, before, owners, LOOPED))
    fast = median_seconds(lambda: paired_deltas(after, before, owners), REPEATS)
    slow = median_seconds(lambda: _plain(after, before, owners, LOOPED), 3) * RESAMPLES / LOOPED
    print(f"{len(names)} metrics of {SENTENCES} sentences, {RESAMPLES} resamples and sign flips, paired")
    print(f"all at once {fast:9.2f} s of CPU")
    print(f"plain loop  {slow:9.2f} s of CPU, reckoned from {LOOPED} resamples")
    print(f"ratio       {slow / fast:9.0f} ×")
    _print_decision(rng)


def _print_decision(rng: np.random.Generator) -> None:
    """The figures of the opt-out decision are no means: each resample sorts and counts anew, by weights."""
    own, rows = SENTENCES, 2 * SENTENCES
    owners = [f"patient{rng.integers(PATIENTS)}" for _ in range(rows)]
    mass, positive = rng.random(rows), np.arange(rows) >= own
    risk = np.where(positive, 1.0, rng.random(rows))
    for name, figure in (("AUROC", decision_auroc(mass, positive)), ("area", risk_coverage_area(mass, risk))):
        seconds = median_seconds(partial(statistic_interval, figure, np.full(rows, True), owners), 1)
        print(f"opt-out {name:<6} {seconds:6.2f} s of CPU, {rows} sentences, {RESAMPLES} resamples")


def _plain(
    after: dict[str, np.ndarray], before: dict[str, np.ndarray], owners: list[str], resamples: int
) -> dict[str, tuple[float, float, float]]:
    """Lower and upper bound and p of every column, from the same draws, by their definition."""
    patients, index = np.unique(owners, return_inverse=True)
    rows_of = [np.flatnonzero(index == patient) for patient in range(len(patients))]
    digest = digest_names(patients)
    (drawn,) = draws(len(patients), digest, resamples, 0)
    (signs,) = flips(len(patients), digest, resamples, 0)
    found = {}
    for name, values in after.items():
        differences = values - before[name]
        means, extreme = [], 0
        for weights, sign in zip(drawn, signs, strict=True):
            chosen = np.concatenate([np.repeat(rows_of[patient], int(n)) for patient, n in enumerate(weights) if n])
            means.append(differences[chosen].mean())
            extreme += abs((differences * sign[index]).sum()) >= abs(differences.sum()) - 1e-12
        low, high = np.percentile(means, (2.5, 97.5))
        found[name] = float(low), float(high), (1 + extreme) / (resamples + 1)
    return found


def _check_equal(found: dict[str, Delta], expected: dict[str, tuple[float, float, float]]) -> None:
    for name, delta in found.items():
        np.testing.assert_allclose((delta.lo, delta.hi, delta.p), expected[name], atol=1e-9, err_msg=name)


if __name__ == "__main__":
    main()
