"""A server at 0.8 times its capacity for half an hour, while its default version rolls forward and back.

    python -m benchmarks.service.soak --minutes 30 --output results/soak
    python -m benchmarks.service.soak --backend plain --minutes 30 --output results/soak-plain

Served are `encoder` in two versions with the same weights, and `wronglung-1`. A machine is not always equally quick, so
capacity is taken anew every two minutes, for 10 s, and 0.8 times it is sent until the next time, more or less by how
much CPU time a small fixed work takes on the server's core meanwhile. In the middle of that the file of default
versions is replaced. Each answer is held against the first one to the same request, bit for bit. Memory (what a process
has for itself, not pages of files) and file descriptors of every process are read every five seconds; after ten minutes
(a third of shorter soaks), in which caches fill, nothing may be shown to grow unless it is shown to stay below 2 % and
2 descriptors an hour, too: see `benchmarks.service.trend`. The longer the soak, the less can hide in noise. Of Java's
heap what lives in it counts (`benchmarks.service.java_heap`): jcmd, which a JDK has, tells it before capacity is taken,
when nothing is at work. Arrivals are random, and what comes in a heap may be refused with advice; it is sent again as
the shipped client does. Every call must be answered; every try that was refused is counted, by when it was, beside how
busy the server's core was then.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import grpc.aio

from benchmarks.service import vitals
from benchmarks.service.blocks import Block, Broken, Sample, Search
from benchmarks.service.calls import Call, patient_caller
from benchmarks.service.cores import one_each, stay_on
from benchmarks.service.generate import closed_loop, open_loop
from benchmarks.service.java_heap import JavaHeap, collected
from benchmarks.service.pace import Pace, watching
from benchmarks.service.requests import own_reports
from benchmarks.service.served import Served, serving
from benchmarks.service.soak_report import Soak, report, write
from benchmarks.service.stores import copy_model, copy_version
from benchmarks.service.witness import Roll, Witness
from wronglung.home import project_home
from wronglung.v1 import alignment_pb2 as pb

VERSIONS = ("1.0", "1.1")
MODELS = ("encoder", "wronglung-1")
SHARE = 0.8
CALLERS, WARM_UP_S, SEARCH_S = 6, 40.0, 12.0
BLOCK_S = 120.0
STUDIES = 48
SAMPLE_S = 5.0
DEADLINE_S = 30.0


class Watch:
    """Takes samples of a server: Java's heap counts by what lived in it when it was last collected."""

    def __init__(self, server: Served) -> None:
        self._server = server
        self._heap: JavaHeap | None = None
        self.collect()

    def collect(self) -> None:
        """Collect Java's heap, if the server has one. Raises as `collected`."""
        java = next((each.pid for each in vitals.take(self._server) if each.role == "java"), None)
        self._heap = None if java is None else collected(java)

    def sample(self) -> Sample:
        """What its processes take now."""
        seen = vitals.take(self._server)
        if self._heap is not None:
            seen = [self._heap.instead_of_touched(each) for each in seen]
        return Sample(time.perf_counter(), seen)


class Roller:
    """Replaces the file of default versions, forward and back."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.rolls: list[Roll] = []

    def roll(self) -> None:
        """To the next version; the file is replaced whole."""
        version = VERSIONS[len(self.rolls) % len(VERSIONS)]
        part = self._file.with_suffix(".part")
        part.write_text(f"{MODELS[0]} {version}\n", encoding="utf-8")
        part.replace(self._file)
        self.rolls.append(Roll(time.perf_counter(), version))


async def soak(server: Served, requests: Sequence[pb.AlignRequest], seconds: float, roller: Roller, pace: Pace) -> Soak:
    """Load a server for so long."""
    samples: list[Sample] = []
    broken: list[Broken] = []
    witness, watch = Witness(), Watch(server)

    def broke(status: str) -> None:
        broken.append(Broken(time.perf_counter(), status))

    def sample() -> None:
        samples.append(watch.sample())

    async with grpc.aio.insecure_channel(server.target) as channel:
        call = patient_caller(channel, DEADLINE_S, broke, witness.judge)
        warm_up = await closed_loop(call, requests, CALLERS, WARM_UP_S)
        beside = asyncio.gather(
            _again(BLOCK_S, roller.roll, first_s=BLOCK_S / 2),
            _again(SAMPLE_S, sample),
        )
        load = asyncio.create_task(_blocks(call, requests, seconds, pace, watch))
        both: list[asyncio.Future[Any]] = [load, beside]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not beside.done():  # it ends by an exception alone
            beside.cancel()
        with suppress(asyncio.CancelledError):
            await beside
    return Soak(warm_up, load.result(), broken, pace.looks, samples, roller.rolls, witness.seen)


async def _blocks(
    call: Call, requests: Sequence[pb.AlignRequest], seconds: float, pace: Pace, watch: Watch
) -> list[Block]:
    """Capacity and load in turn."""
    blocks: list[Block] = []
    while len(blocks) * BLOCK_S < seconds:
        await asyncio.to_thread(watch.collect)
        search = Search(SEARCH_S, await closed_loop(call, requests, CALLERS, SEARCH_S), pace.now_s)
        begun_s, load_s = time.perf_counter(), BLOCK_S - SEARCH_S
        rate = partial(search.share_per_s, SHARE, pace)
        blocks.append(Block(search, begun_s, load_s, await open_loop(call, requests, rate, load_s, seed=len(blocks))))
    return blocks


async def _again(every_s: float, act: Callable[[], None], first_s: float = 0.0) -> None:
    await asyncio.sleep(first_s)
    while True:
        await asyncio.to_thread(act)
        await asyncio.sleep(every_s)


@contextmanager
def _server(backend: str, cores: frozenset[int]) -> Iterator[tuple[Served, Roller]]:
    """Two versions of the first model and one of the others, and what rolls them."""
    shipped = project_home() / "model_store"
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder, "store")
        names = [copy_model(shipped / name, store).name for name in MODELS]
        names.append(copy_version(shipped / MODELS[0], store, VERSIONS[1]))
        roller = Roller(Path(folder, "versions.txt"))
        roller.roll()
        flags = ("--backend", backend, "--default-versions", str(Path(folder, "versions.txt")))
        with serving(store, names, *flags, cores=cores) as server:
            yield server, roller


def main(arguments: Sequence[str] | None = None) -> int:
    """Soak and print; returns 1 if anything was not as it must be."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.service.soak",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=30.0,
        help="at least 16, in blocks of 2, the last one whole (default: %(default)g)",
    )
    parser.add_argument("--backend", choices=["torchserve", "plain"], default="torchserve", help="default: %(default)s")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="for soak.json and soak.md")
    args = parser.parse_args(arguments)
    if args.minutes < 16:
        parser.error("a trend needs 10 minutes after the warm-up: --minutes 16 or more")
    cores = one_each()
    stay_on(cores.generator)
    requests = own_reports(MODELS, STUDIES)
    with _server(args.backend, cores.server) as (server, roller), watching(cores.server) as pace:
        found = asyncio.run(soak(server, requests, 60 * args.minutes, roller, pace))
    write(found, args.backend, args.output)
    print(report(found, args.backend), end="\n\n")
    print("\n".join(found.faults) or "nothing grows, nothing failed, every answer as the first")
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())
