"""What a soak found: a table, a JSON file, and whether all was well."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.service.calls import Ended
from benchmarks.service.documents import write_json
from benchmarks.service.figures import Figures, figures
from benchmarks.service.trend import Trend, Verdict, trend
from benchmarks.service.vitals import Vitals
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

    capacity_per_s: float
    seconds: float
    ended: Sequence[Ended]
    samples: Sequence[tuple[float, Sequence[Vitals]]]
    """Seconds since the start, and every process then."""
    rolls: Sequence[Roll]
    seen: Sequence[Seen]

    @cached_property
    def load(self) -> Figures:
        """Of the whole soak."""
        return figures([self.ended], self.seconds)

    @property
    def thirds_p99_ms(self) -> list[float]:
        """p99 of each third of the soak: whether it becomes slower."""
        third = self.seconds / 3
        parts = [[call for call in self.ended if i * third <= call.intended_s < (i + 1) * third] for i in range(3)]
        return [figures([part], third).p99_ms for part in parts]

    @cached_property
    def growth(self) -> list[Growth]:
        """Of every process, after the warm-up."""
        warm_s = min(WARM_UP_S, WARM_UP_SHARE * self.seconds)
        settled = [(at, vitals) for at, vitals in self.samples if at >= warm_s]
        times = [at for at, _ in settled]
        found = []
        for place, first in enumerate(settled[0][1]):
            memory = trend(times, [vitals[place].own_mib for _, vitals in settled])
            files = trend(times, [float(vitals[place].files) for _, vitals in settled])
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
        processes = {tuple(each.pid for each in vitals) for _, vitals in self.samples}
        if len(processes) > 1:
            return [f"processes came and went: {len(processes)} sets of them were seen"]
        grown = [each.process for each in self.growth if "grows" in {each.memory, each.descriptors}]
        checks = {
            f"failed calls: {self.load.failures}": bool(self.load.failures),
            f"{self.stale} answers of the wrong version": self.stale > 0,
            f"grows: {', '.join(grown)}": bool(grown),
        }
        return [fault for fault, there in checks.items() if there]


def table(soak: Soak) -> str:
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


def words(soak: Soak, backend: str) -> str:
    """The load and how it went."""
    load, versions = soak.load, Counter(each.version for each in soak.seen if each.model == _MODEL)
    answered = ", ".join(f"{count} by {_MODEL} {version}" for version, count in sorted(versions.items()))
    thirds = ", ".join(f"{p99:.0f}" for p99 in soak.thirds_p99_ms)
    return "\n".join(
        [
            f"backend {backend}: capacity {soak.capacity_per_s:.1f}/s, offered {load.offered_per_s:.1f}/s for "
            f"{soak.seconds / 60:.0f} min, {len(soak.ended)} calls, answered {load.goodput_per_s:.1f}/s ({answered})",
            f"p50 {load.p50_ms:.0f} ms, p99 {load.p99_ms:.0f} ms (by thirds {thirds}); refused {load.refusals}; "
            f"failed {sum(load.failures.values())}; {len(soak.rolls)} changes of the default version",
        ]
    )


def write(soak: Soak, backend: str, folder: Path) -> None:
    """Write `soak.json` and `soak.md`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "soak.md").write_text(f"{words(soak, backend)}\n\n{table(soak)}\n", encoding="utf-8")
    summary: dict[str, Any] = {
        "backend": backend,
        "seconds": soak.seconds,
        "capacity_per_s": soak.capacity_per_s,
        "load": asdict(soak.load),
        "thirds_p99_ms": soak.thirds_p99_ms,
        "rolls": len(soak.rolls),
        "faults": soak.faults,
        "growth": [asdict(each) for each in soak.growth],
        "samples": [{"at_s": at, "processes": [asdict(each) for each in vitals]} for at, vitals in soak.samples],
    }
    write_json(folder / "soak.json", summary)
