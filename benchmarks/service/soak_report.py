"""What a soak found: a table, a JSON file, and whether all was well."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.service.blocks import Block, Broken, Sample, blocks_table
from benchmarks.service.calls import ANSWERED, REFUSED, Ended
from benchmarks.service.documents import write_json
from benchmarks.service.pace import Look
from benchmarks.service.trend import Trend, Verdict, trend
from benchmarks.service.witness import Roll, Seen, stale

MEMORY_SHARE, FILES = 0.02, 2.0
"""What may be added in an hour: of the memory, and of open file descriptors."""
WARM_UP_S, WARM_UP_SHARE = 600.0, 1 / 3
ROLLED_WITHIN_S = 5.0
_MODEL = "encoder"


@dataclass(frozen=True, slots=True)
class Growth:
    """How memory and file descriptors of one process went."""

    process: str
    own_mib: Trend
    memory: Verdict
    files: Trend
    descriptors: Verdict


@dataclass(frozen=True)
class Soak:
    """One soak."""

    warm_up: Sequence[Ended]
    blocks: Sequence[Block]
    broken: Sequence[Broken]
    looks: Sequence[Look]
    """At the pace of the server's core."""
    samples: Sequence[Sample]
    rolls: Sequence[Roll]
    seen: Sequence[Seen]

    @property
    def seconds(self) -> float:
        """From the first sample to the last."""
        return self.samples[-1].at_s - self.samples[0].at_s

    @cached_property
    def calls(self) -> list[Ended]:
        """All that were sent, in the warm-up and in searches for capacity, too."""
        both = [calls for block in self.blocks for calls in (block.search.ended, block.ended)]
        return list(itertools.chain(self.warm_up, *both))

    @cached_property
    def unanswered(self) -> dict[str, int]:
        """Calls without a good answer after all their tries, by how they ended."""
        return dict(Counter(call.status for call in self.calls if call.status != ANSWERED))

    @property
    def lasted(self) -> bool:
        """Whether every process was there all the time."""
        return len({sample.pids for sample in self.samples}) == 1

    @cached_property
    def broken_tries(self) -> dict[str, int]:
        """Tries that were not answered, by status."""
        return dict(Counter(each.status for each in self.broken))

    @cached_property
    def growth(self) -> list[Growth]:
        """Of every process, after the warm-up; of none if processes came and went."""
        if not self.lasted:
            return []
        warm_s = min(WARM_UP_S, WARM_UP_SHARE * self.seconds)
        settled = [sample for sample in self.samples if sample.at_s >= self.samples[0].at_s + warm_s]
        times = [sample.at_s for sample in settled]
        found = []
        for place, first in enumerate(settled[0].processes):
            memory = trend(times, [sample.processes[place].own_mib for sample in settled])
            files = trend(times, [float(sample.processes[place].files) for sample in settled])
            allowed = MEMORY_SHARE * memory.mean
            found.append(Growth(first.role, memory, memory.verdict(allowed), files, files.verdict(FILES)))
        return found

    @property
    def stale(self) -> int:
        """Answers of a version that was not the default any more."""
        return stale(self.seen, self.rolls, _MODEL, ROLLED_WITHIN_S)

    @property
    def faults(self) -> list[str]:
        """What was not as it must be."""
        grown = [each.process for each in self.growth if "grows" in {each.memory, each.descriptors}]
        odd = {status: count for status, count in self.broken_tries.items() if status != REFUSED}
        checks = {
            "processes came and went": not self.lasted,
            f"calls without a good answer: {self.unanswered}": bool(self.unanswered),
            f"tries that broke otherwise than by a refusal: {odd}": bool(odd),
            f"{self.stale} answers of the wrong version": self.stale > 0,
            f"grows: {', '.join(grown)}": bool(grown),
        }
        return [fault for fault, there in checks.items() if there]


def report(soak: Soak, backend: str) -> str:
    """All of it as Markdown: the load and how it went, its blocks, every process."""
    versions = Counter(each.version for each in soak.seen if each.model == _MODEL)
    answered = ", ".join(f"{count} by {_MODEL} {version}" for version, count in sorted(versions.items()))
    heading = "\n".join(
        [
            f"backend {backend}: {len(soak.calls)} calls, {soak.seconds / 60:.0f} min after the warm-up ({answered}), "
            f"{len(soak.rolls)} changes of the default version",
            f"calls without a good answer: {sum(soak.unanswered.values())}; "
            f"refused tries: {soak.broken_tries.get(REFUSED, 0)}",
        ]
    )
    return "\n\n".join([heading, blocks_table(soak.blocks, soak.broken, soak.samples, soak.looks), growth_table(soak)])


def growth_table(soak: Soak) -> str:
    """Memory and file descriptors as Markdown."""
    lines = [
        "| process | own MiB | MiB per hour [95 %] | memory | descriptors | per hour [95 %] | growth |",
        "|---|---|---|---|---|---|---|",
    ]
    for each in soak.growth:
        memory, files = each.own_mib, each.files
        lines.append(
            f"| {each.process} | {memory.mean:.1f} | {memory.slope:+.2f} [{memory.lo:+.2f}, {memory.hi:+.2f}] "
            f"| {each.memory} | {files.mean:.1f} | {files.slope:+.2f} [{files.lo:+.2f}, {files.hi:+.2f}] "
            f"| {each.descriptors} |"
        )
    return "\n".join(lines)


def write(soak: Soak, backend: str, folder: Path) -> None:
    """Write `soak.json` and `soak.md`."""
    folder.mkdir(parents=True, exist_ok=True)
    start_s = soak.samples[0].at_s
    summary: dict[str, Any] = {
        "backend": backend,
        "seconds": soak.seconds,
        "calls": len(soak.calls),
        "unanswered": soak.unanswered,
        "faults": soak.faults,
        "rolls_s": [roll.at_s - start_s for roll in soak.rolls],
        "broken": [{"at_s": each.at_s - start_s, "status": each.status} for each in soak.broken],
        "blocks": [
            {
                "begun_s": block.begun_s - start_s,
                "capacity_per_s": block.search.capacity_per_s,
                "load": asdict(block.load),
                "busy": block.busy(soak.samples),
                "pace_ms": block.pace_ms(soak.looks),
            }
            for block in soak.blocks
        ],
        "growth": [asdict(each) for each in soak.growth],
        "samples": [
            {"at_s": at - start_s, "processes": [asdict(each) for each in processes]} for at, processes in soak.samples
        ],
    }
    write_json(folder / "soak.json", summary)
    (folder / "soak.md").write_text(report(soak, backend) + "\n", encoding="utf-8")
