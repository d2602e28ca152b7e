"""What a soak found: a table, a JSON file, and whether all was well."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.service.blocks import Block, Broken, Sample, blocks_table, unanswered
from benchmarks.service.calls import REFUSED
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

    @property
    def calls(self) -> int:
        """All that were sent, in searches for capacity, too."""
        return sum(len(block.search.ended) + len(block.ended) for block in self.blocks)

    @cached_property
    def failures(self) -> dict[str, int]:
        """Calls without a good answer, after all their tries, by status."""
        ended = [call for block in self.blocks for call in (*block.search.ended, *block.ended)]
        return dict(Counter(call.status for call in unanswered(ended)))

    @cached_property
    def broken_tries(self) -> dict[str, int]:
        """Tries that were not answered, by status."""
        return dict(Counter(each.status for each in self.broken))

    @cached_property
    def growth(self) -> list[Growth]:
        """Of every process, after the warm-up."""
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
        processes = {tuple(each.pid for each in sample.processes) for sample in self.samples}
        if len(processes) > 1:
            return [f"processes came and went: {len(processes)} sets of them were seen"]
        grown = [each.process for each in self.growth if "grows" in {each.memory, each.descriptors}]
        odd = {status: count for status, count in self.broken_tries.items() if status != REFUSED}
        checks = {
            f"failed calls: {self.failures}": bool(self.failures),
            f"tries that broke otherwise than by a refusal: {odd}": bool(odd),
            f"{self.stale} answers of the wrong version": self.stale > 0,
            f"grows: {', '.join(grown)}": bool(grown),
        }
        return [fault for fault, there in checks.items() if there]


def report(soak: Soak, backend: str) -> str:
    """All of it as Markdown: the load and how it went, its blocks, every process."""
    versions = Counter(each.version for each in soak.seen if each.model == _MODEL)
    answered = ", ".join(f"{count} by {_MODEL} {version}" for version, count in sorted(versions.items()))
    refused = soak.broken_tries.get(REFUSED, 0)
    heading = "\n".join(
        [
            f"backend {backend}: {soak.calls} calls in {soak.seconds / 60:.0f} min ({answered}), "
            f"{len(soak.rolls)} changes of the default version",
            f"failed {sum(soak.failures.values())}; {refused} tries were refused and sent again",
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
    (folder / "soak.md").write_text(report(soak, backend) + "\n", encoding="utf-8")
    start_s = soak.samples[0].at_s
    summary: dict[str, Any] = {
        "backend": backend,
        "seconds": soak.seconds,
        "calls": soak.calls,
        "failures": soak.failures,
        "faults": soak.faults,
        "rolls_s": [roll.at_s - start_s for roll in soak.rolls],
        "broken": [{"at_s": each.at_s - start_s, "status": each.status} for each in soak.broken],
        "blocks": [
            {
                "begun_s": block.begun_s - start_s,
                "capacity_per_s": block.search.capacity_per_s,
                "load": asdict(block.load),
                "busy": block.busy(soak.samples),
                "pace_ms": block.work_ms(soak.looks),
            }
            for block in soak.blocks
        ],
        "growth": [asdict(each) for each in soak.growth],
        "samples": [
            {"at_s": at - start_s, "processes": [asdict(each) for each in processes]} for at, processes in soak.samples
        ],
    }
    write_json(folder / "soak.json", summary)
