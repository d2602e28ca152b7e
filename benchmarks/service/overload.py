"""Four times what the server can do: does it still do what it can, at once say no to the rest, and stay quick?

    python -m benchmarks.service.overload                        # about nine minutes
    python -m benchmarks.service.overload --seconds 30 --output results/overload.json
    python -m benchmarks.service.overload --models shipped --times 3 --seconds 30

The server has one core, an open-loop generator another. The model is full-size (ResNet-50 and BERT-base, random
weights), each request a phantom radiograph and one sentence, nothing cached. `--models shipped` takes two of the small
ones in its place, with caches on and whole reports: quick enough for the gateway to be what the core is spent on, so
that the targets, which are meant for models that cost more than a refusal, are missed by them
(docs/decisions/0122).
Capacity is the rate of answers to a few callers who wait for theirs; 0.8 and 4 times that rate follow in turn, twice,
so that what else the machine does falls on both.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import grpc.aio

from benchmarks.full_size import REPORT
from benchmarks.service.calls import Call, Ended, caller
from benchmarks.service.cores import one_each, stay_on
from benchmarks.service.documents import write_json
from benchmarks.service.figures import Figures, figures
from benchmarks.service.full_size_store import write_full_size
from benchmarks.service.generate import closed_loop, constant, open_loop
from benchmarks.service.requests import one_sentence_each, own_reports
from benchmarks.service.served import serving
from benchmarks.service.stores import copy_model
from wronglung.home import project_home
from wronglung.v1 import alignment_pb2 as pb

CALLERS = 8
"""Of the closed loop: enough to fill a batch, few enough that none is refused."""
BELOW, ABOVE = 0.8, 4.0
"""Loads, as shares of capacity; the second one may be chosen."""
ROUNDS = 2
SETTLING_S = 5.0
DEADLINE_S = 20.0
STUDIES = 64
SHIPPED = ("encoder", "wronglung-1")
GOODPUT, SLOWDOWN, REFUSAL_MS = 0.9, 3.0, 50.0
"""The targets: goodput above, as a share of capacity; p99 above, over p99 below; p95 of refusals."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What `measure` found."""

    capacity_per_s: float
    below: Figures
    above: Figures
    times: float
    """The load above, as a share of capacity."""
    generator_share: float
    """Of a core, spent by the generator in the overload."""

    @property
    def missed(self) -> list[str]:
        """The targets that were missed, with by how much."""
        goodput = self.above.goodput_per_s / self.capacity_per_s
        slowdown = self.above.p99_ms / self.below.p99_ms
        refusal = self.above.refusals_p95_ms
        misses = {
            f"goodput at {self.times:g}× is {goodput:.2f} of capacity, not {GOODPUT}": not goodput >= GOODPUT,
            f"p99 at {self.times:g}× is {slowdown:.2f} × that at {BELOW}×, not {SLOWDOWN:g}": not slowdown <= SLOWDOWN,
            f"p95 of refusals is {refusal:.0f} ms, not {REFUSAL_MS:g}": not refusal < REFUSAL_MS,
            f"failures: {self.below.failures} {self.above.failures}": bool(self.below.failures or self.above.failures),
        }
        return [message for message, missed in misses.items() if missed]


class Work(NamedTuple):
    """What is served, and what is asked of it."""

    models: Sequence[str]
    requests: Sequence[pb.AlignRequest]


def full_size(store: Path) -> Work:
    """Write the full-size model into a store."""
    model = write_full_size(store)
    return Work([model], one_sentence_each(model, STUDIES, REPORT))


def shipped(store: Path) -> Work:
    """Copy two shipped models into a store."""
    models = [copy_model(project_home() / "model_store" / name, store).name for name in SHIPPED]
    return Work(models, own_reports(models, STUDIES))


WORK: dict[str, Callable[[Path], Work]] = {"full-size": full_size, "shipped": shipped}


async def measure(target: str, requests: Sequence[pb.AlignRequest], seconds: float, above: float) -> Measured:
    """Load a server: `seconds` for each of the four open-loop phases, a third of that for each search of capacity."""
    capacity: list[list[Ended]] = []
    loads: dict[float, list[list[Ended]]] = {BELOW: [], above: []}
    share = 0.0
    async with grpc.aio.insecure_channel(target) as channel:
        call = caller(channel, DEADLINE_S)
        await closed_loop(call, requests, CALLERS, SETTLING_S)  # warm up
        for number in range(ROUNDS):
            capacity.append(await closed_loop(call, requests, CALLERS, seconds / 3 + SETTLING_S))
            rate = figures(capacity, seconds / 3 + SETTLING_S, SETTLING_S).goodput_per_s
            if not rate:
                raise RuntimeError(f"no answer in {seconds / 3:g} s: the machine is too busy, or take more --seconds")
            for times, blocks in loads.items():
                ended, used = await _load(call, requests, times * rate, seconds + SETTLING_S, number)
                blocks.append(ended)
                share = max(share, used) if times == above else share
        capacity.append(await closed_loop(call, requests, CALLERS, seconds / 3 + SETTLING_S))
    found = {times: figures(blocks, seconds + SETTLING_S, SETTLING_S) for times, blocks in loads.items()}
    rate = figures(capacity, seconds / 3 + SETTLING_S, SETTLING_S).goodput_per_s
    return Measured(rate, found[BELOW], found[above], above, share)


async def _load(
    call: Call, requests: Sequence[pb.AlignRequest], rate: float, seconds: float, seed: int
) -> tuple[list[Ended], float]:
    """One phase, and the share of a core that it took to make it."""
    cpu, wall = time.process_time(), time.perf_counter()
    ended = await open_loop(call, requests, constant(rate), seconds, seed)
    return ended, (time.process_time() - cpu) / (time.perf_counter() - wall)


def table(found: Measured) -> str:
    """The figures as Markdown."""
    lines = [
        "| load | offered /s | answered /s | of capacity | p50 ms | p99 ms | refused | their p95 ms | sent late ms |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for times, each in ((BELOW, found.below), (found.times, found.above)):
        lines.append(
            f"| {times:g} × | {each.offered_per_s:.1f} | {each.goodput_per_s:.2f} "
            f"| {each.goodput_per_s / found.capacity_per_s:.2f} | {each.p50_ms:.0f} | {each.p99_ms:.0f} "
            f"| {each.refusals} | {each.refusals_p95_ms:.1f} | {each.late_p99_ms:.1f} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns 1 if a target is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.service.overload",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=100.0, help="of each phase (default: %(default)g)")
    parser.add_argument("--times", type=float, default=ABOVE, help="the capacity, above 1 (default: %(default)g)")
    parser.add_argument("--models", choices=list(WORK), default="full-size", help="default: %(default)s")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the figures as JSON, too")
    args = parser.parse_args(arguments)
    if args.times <= 1:
        parser.error("an overload is more than the capacity: --times above 1")
    cores = one_each()
    stay_on(cores.generator)
    with tempfile.TemporaryDirectory() as store:
        work = WORK[args.models](Path(store))
        with serving(Path(store), work.models, cores=cores.server) as server:
            before = os.getloadavg()[0]
            found = asyncio.run(measure(server.target, work.requests, args.seconds, args.times))
    print(f"capacity {found.capacity_per_s:.2f} answers/s; load of the machine before {before:.1f}")
    print(table(found))
    print(f"the generator used {found.generator_share:.0%} of its core at {found.times:g} ×")
    print("\n".join(f"missed: {miss}" for miss in found.missed) or "every target is met")
    if args.output:
        write_json(args.output, asdict(found))
    return 1 if found.missed else 0


if __name__ == "__main__":
    sys.exit(main())
