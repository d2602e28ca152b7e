"""What each model takes to be served: memory, CPU time per request of each part, and what one core carries.

    python -m benchmarks.service.sizing
    python -m benchmarks.service.sizing --models encoder full-size --seconds 60 --backend plain

Each model is served alone on one core, with nothing cached; requests are phantom studies with all their sentences (the
full-size model: one sentence each), from callers on another core who wait for their answers. Memory is the whole
server's (PSS of all its processes), when it is ready and at the end of the load.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import grpc.aio

from benchmarks.full_size import REPORT
from benchmarks.service import full_size_store, vitals
from benchmarks.service.calls import ANSWERED, Ended, caller
from benchmarks.service.cores import one_each, stay_on
from benchmarks.service.figures import Figures, figures
from benchmarks.service.generate import closed_loop
from benchmarks.service.requests import one_sentence_each, own_reports
from benchmarks.service.served import Served, serving
from benchmarks.service.stores import copy_model, without_caches
from wronglung.home import project_home
from wronglung.v1 import alignment_pb2 as pb

MODELS = ("encoder", "encoder-optout", "wronglung-1", full_size_store.MODEL)
CALLERS, STUDIES, SETTLING_S, DEADLINE_S = 6, 48, 5.0, 60.0
PARTS = ("worker", "java", "backend", "gateway")
_PARTS = ", ".join(PARTS)


@dataclass(frozen=True, slots=True)
class Size:
    """What serving one model takes."""

    model: str
    sentences: float
    """Per request, on average."""
    ready_mib: float
    loaded_mib: float
    alone: Figures
    """One caller."""
    together: Figures
    """`CALLERS` callers."""
    cpu_ms: dict[str, float]
    """CPU time per answer of each part, with `CALLERS` callers."""


async def _load(server: Served, requests: Sequence[pb.AlignRequest], callers: int, seconds: float) -> list[Ended]:
    async with grpc.aio.insecure_channel(server.target) as channel:
        return await closed_loop(caller(channel, DEADLINE_S), requests, callers, seconds)


def measure(server: Served, requests: Sequence[pb.AlignRequest], seconds: float) -> Size:
    """Load a server of one model, by one caller and by several, for so long each."""
    whole_s = seconds + SETTLING_S
    ready = vitals.take(server)
    alone = asyncio.run(_load(server, requests, 1, whole_s))
    before = vitals.take(server)
    together = asyncio.run(_load(server, requests, CALLERS, whole_s))
    after = vitals.take(server)
    answers = sum(each.status == ANSWERED for each in together)
    spent = {part: _cpu(after, part) - _cpu(before, part) for part in PARTS}
    return Size(
        model=requests[0].model_name,
        sentences=mean(len(request.sentences) for request in requests),
        ready_mib=sum(each.pss_mib for each in ready),
        loaded_mib=sum(each.pss_mib for each in after),
        alone=figures([alone], whole_s, SETTLING_S),
        together=figures([together], whole_s, SETTLING_S),
        cpu_ms={part: 1000 * used / answers for part, used in spent.items()},
    )


def _cpu(taken: Sequence[vitals.Vitals], part: str) -> float:
    return sum(each.cpu_s for each in taken if each.role.split()[0] == part)


def _prepared(model: str, store: Path) -> list[pb.AlignRequest]:
    """Write the model into the store; returns what to ask it."""
    if model == full_size_store.MODEL:
        full_size_store.write_full_size(store)
        return one_sentence_each(model, STUDIES, REPORT)
    without_caches(copy_model(project_home() / "model_store" / model, store))
    return own_reports([model], STUDIES)


def table(sizes: Sequence[Size]) -> str:
    """As Markdown."""
    lines = [
        f"| model | sentences | ready MiB | loaded MiB | p50 ms alone | answers/s | CPU ms per answer: {_PARTS} |",
        "|---|---|---|---|---|---|---|",
    ]
    for size in sizes:
        cpu = ", ".join(f"{size.cpu_ms[part]:.1f}" for part in PARTS)
        lines.append(
            f"| {size.model} | {size.sentences:.1f} | {size.ready_mib:.0f} | {size.loaded_mib:.0f} "
            f"| {size.alone.p50_ms:.0f} | {size.together.goodput_per_s:.1f} | {cpu} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns 1 if a call failed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.service.sizing",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--models", nargs="+", default=MODELS, metavar="NAME", help=f"default: {' '.join(MODELS)}")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each load (default: %(default)g)")
    parser.add_argument("--backend", choices=["torchserve", "plain"], default="torchserve", help="default: %(default)s")
    args = parser.parse_args(arguments)
    cores = one_each()
    stay_on(cores.generator)
    sizes = []
    for model in args.models:
        with tempfile.TemporaryDirectory() as store:
            requests = _prepared(model, Path(store))
            with serving(Path(store), [model], "--backend", args.backend, cores=cores.server) as server:
                sizes.append(measure(server, requests, args.seconds))
    print(table(sizes))
    failures = {size.model: size.together.failures | size.alone.failures for size in sizes}
    failed = {model: found for model, found in failures.items() if found}
    print(f"failed: {failed}" if failed else "nothing failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
