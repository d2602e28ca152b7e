"""A soak is judged by what was seen: processes, memory, descriptors, calls, tries and versions."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.service.blocks import Block, Broken, Sample, Search
from benchmarks.service.calls import Ended
from benchmarks.service.pace import Look
from benchmarks.service.soak_report import Soak, report, write
from benchmarks.service.vitals import Vitals
from benchmarks.service.witness import Roll, Seen

SECONDS = 1200.0
NOISE = np.random.default_rng(0).normal(0, 1, 241)


def samples(mib_per_hour: float = 0, files_per_hour: float = 0) -> list[Sample]:
    """Of one worker, every five seconds, half a core busy."""
    return [
        Sample(
            at,
            [
                Vitals(
                    pid=7,
                    role="worker",
                    pss_mib=300,
                    own_mib=200 + noise + mib_per_hour * at / 3600,
                    files=int(20 + files_per_hour * at / 3600),
                    cpu_s=at / 2,
                )
            ],
        )
        for at, noise in zip(np.arange(0, SECONDS + 1, 5.0).tolist(), NOISE.tolist(), strict=True)
    ]


def block(begun_s: float, *others: Ended) -> Block:
    """Ten minutes with two answers a second."""
    ended = [Ended(at, at, at + 0.1, "OK") for at in np.arange(0, 580, 0.5).tolist()]
    search = Search(12, [Ended(at, at, at + 0.1, "OK") for at in np.arange(0, 12, 0.4).tolist()], 0.002)
    return Block(search, begun_s, 580, [*ended, *others])


WELL = Soak(
    warm_up=[Ended(0, 0, 0.1, "OK")],
    blocks=[block(20), block(620)],
    broken=[Broken(700, "RESOURCE_EXHAUSTED")],
    looks=[Look(at, 0.002) for at in range(0, 1200, 60)],
    samples=samples(),
    rolls=[Roll(0, "1.0"), Roll(600, "1.1")],
    seen=[Seen(100, "encoder", "1.0"), Seen(700, "encoder", "1.1")],
)


def test_a_soak_that_went_well_has_no_fault_though_tries_were_refused_and_sent_again() -> None:
    assert WELL.faults == []
    said = report(WELL, "torchserve")
    assert (
        "backend torchserve: 2381 calls, 20 min after the warm-up (1 by encoder 1.0, 1 by encoder 1.1), 2 changes"
        in said
    )
    assert "calls without a good answer: 0; refused tries: 1" in said
    assert "| 2 | 2.5 | 2.0 | 100 | 100 | 1 | 0.50 | 250.00 | 2.00 |" in said
    assert "| worker | 199.9 |" in said


@pytest.mark.parametrize(
    ("soak", "fault"),
    [
        (replace(WELL, samples=samples(mib_per_hour=40)), "grows: worker"),
        (replace(WELL, samples=samples(files_per_hour=60)), "grows: worker"),
        (
            replace(WELL, blocks=[block(20, Ended(9, 9, 10, "DIFFERENT"))]),
            "calls without a good answer: {'DIFFERENT': 1}",
        ),
        (
            replace(WELL, blocks=[block(20, Ended(9, 9, 10, "RESOURCE_EXHAUSTED"))]),
            "calls without a good answer: {'RESOURCE_EXHAUSTED': 1}",
        ),
        (
            replace(WELL, broken=[Broken(9, "UNAVAILABLE")]),
            "tries that broke otherwise than by a refusal: {'UNAVAILABLE': 1}",
        ),
        (replace(WELL, seen=[*WELL.seen, Seen(800, "encoder", "1.0")]), "1 answers of the wrong version"),
        (
            replace(WELL, samples=[*WELL.samples, Sample(SECONDS, [])]),
            "processes came and went",
        ),
    ],
)
def test_what_went_wrong_is_named_and_nothing_of_what_was_seen_is_lost(soak: Soak, fault: str, tmp_path: Path) -> None:
    assert soak.faults == [fault]
    write(soak, "torchserve", tmp_path)
    assert json.loads((tmp_path / "soak.json").read_text())["faults"] == [fault]
    assert "calls without a good answer" in (tmp_path / "soak.md").read_text()


def test_a_server_that_answered_nothing_is_reported_too(tmp_path: Path) -> None:
    silent = [Ended(at, at, at + 1, "UNAVAILABLE") for at in range(12)]
    soak = replace(WELL, blocks=[Block(Search(12, silent, 0.002), 20, 580, silent)], looks=[], seen=[])
    assert soak.faults == ["calls without a good answer: {'UNAVAILABLE': 24}"]
    write(soak, "torchserve", tmp_path)
    assert "| 1 | 0.0 | 0.0 | nan | nan | 0 | 0.50 | nan | nan |" in (tmp_path / "soak.md").read_text()


def test_a_call_that_failed_in_the_warm_up_is_a_fault() -> None:
    soak = replace(WELL, warm_up=[Ended(0, 0, 1, "UNAVAILABLE")])
    assert soak.faults == ["calls without a good answer: {'UNAVAILABLE': 1}"]


def test_a_failed_search_for_capacity_is_a_fault_too() -> None:
    failed = replace(block(20), search=Search(12, [Ended(3, 3, 4, "UNAVAILABLE"), *block(20).search.ended], 0.002))
    assert replace(WELL, blocks=[failed]).faults == ["calls without a good answer: {'UNAVAILABLE': 1}"]
