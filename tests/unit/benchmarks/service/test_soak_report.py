"""A soak is judged by what was seen: processes, memory, descriptors, answers and versions."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.service.calls import Ended
from benchmarks.service.soak_report import Soak, table
from benchmarks.service.vitals import Vitals
from benchmarks.service.witness import Roll, Seen

SECONDS = 1200.0
NOISE = np.random.default_rng(0).normal(0, 1, 240)


def samples(mib_per_hour: float = 0, files_per_hour: float = 0) -> list[tuple[float, Sequence[Vitals]]]:
    """Of one worker, every five seconds."""
    return [
        (
            at,
            [
                Vitals(
                    7, "worker", 300, 200 + noise + mib_per_hour * at / 3600, int(20 + files_per_hour * at / 3600), at
                )
            ],
        )
        for at, noise in zip(np.arange(0, SECONDS, 5.0).tolist(), NOISE.tolist(), strict=True)
    ]


WELL = Soak(
    capacity_per_s=10,
    seconds=SECONDS,
    ended=[Ended(at, at, at + 0.1, "OK") for at in np.arange(0, SECONDS, 0.5).tolist()],
    samples=samples(),
    rolls=[Roll(0, "1.0"), Roll(600, "1.1")],
    seen=[Seen(100, "encoder", "1.0"), Seen(700, "encoder", "1.1")],
)


def test_a_soak_that_went_well_has_no_fault() -> None:
    assert WELL.faults == []
    assert WELL.thirds_p99_ms == pytest.approx([100, 100, 100])
    assert "| worker | 199.9 |" in table(WELL)


@pytest.mark.parametrize(
    ("soak", "fault"),
    [
        (replace(WELL, samples=samples(mib_per_hour=40)), "grows: worker"),
        (replace(WELL, samples=samples(files_per_hour=60)), "grows: worker"),
        (replace(WELL, ended=[*WELL.ended, Ended(9, 9, 10, "DIFFERENT")]), "failed calls: {'DIFFERENT': 1}"),
        (replace(WELL, seen=[*WELL.seen, Seen(800, "encoder", "1.0")]), "1 answers of the wrong version"),
        (replace(WELL, samples=[*WELL.samples, (SECONDS, [])]), "processes came and went: 2 sets of them were seen"),
    ],
)
def test_what_went_wrong_is_named(soak: Soak, fault: str) -> None:
    assert soak.faults == [fault]


def test_refusals_are_no_fault() -> None:
    assert replace(WELL, ended=[*WELL.ended, Ended(9, 9, 10, "RESOURCE_EXHAUSTED")]).faults == []
