"""A server at 0.8 times its capacity for half an hour, while its default version rolls forward and back.

    python -m benchmarks.service.soak --minutes 30 --output results/soak
    python -m benchmarks.service.soak --backend plain --minutes 30 --output results/soak-plain

Served are `encoder` in two versions with the same weights, and `wronglung-1`. Every two minutes the file of default
versions is replaced. Each answer is held against the first one to the same request, bit for bit. Memory (what a process
has for itself, not pages of files) and file descriptors of every process are read every five seconds; after ten minutes
(a third of shorter soaks), in which caches and Java's heap fill, they must not grow by more than 2 % and 2 descriptors
an hour: see `benchmarks.service.trend`. Refusals are counted apart: arrivals are random, and what comes in a heap is
refused with advice, which clients follow.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import grpc.aio

from benchmarks.service import vitals
from benchmarks.service.calls import Call, caller
from benchmarks.service.cores import one_each, stay_on
from benchmarks.service.figures import figures
from benchmarks.service.generate import closed_loop, open_loop
from benchmarks.service.requests import own_reports
from benchmarks.service.served import Served, serving
from benchmarks.service.soak_report import Soak, table, words, write
from benchmarks.service.stores import copy_model, copy_version
from benchmarks.service.witness import Roll, Witness
from wronglung.home import project_home
from wronglung.v1 import alignment_pb2 as pb

VERSIONS = ("1.0", "1.1")
MODELS = ("encoder", "wronglung-1")
SHARE = 0.8
CALLERS, CAPACITY_S, SETTLING_S = 6, 30.0, 10.0
STUDIES = 48
SAMPLE_S, ROLL_S = 5.0, 120.0
DEADLINE_S = 30.0


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


async def soak(server: Served, requests: Sequence[pb.AlignRequest], seconds: float, roller: Roller) -> Soak:
    """Load a server for so long."""
    samples: list[tuple[float, list[vitals.Vitals]]] = []
    witness = Witness()
    async with grpc.aio.insecure_channel(server.target) as channel:
        call = caller(channel, DEADLINE_S, witness.judge)
        capacity = await _capacity(call, requests)
        start = time.perf_counter()
        beside = asyncio.gather(
            _again(ROLL_S, roller.roll),
            _again(SAMPLE_S, lambda: samples.append((time.perf_counter() - start, vitals.take(server)))),
        )
        load = asyncio.create_task(open_loop(call, requests, SHARE * capacity, seconds, seed=0))
        both: list[asyncio.Future[Any]] = [load, beside]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not beside.done():  # it ends by an exception alone
            beside.cancel()
        with suppress(asyncio.CancelledError):
            await beside
    return Soak(capacity, seconds, load.result(), samples, roller.rolls, witness.seen)


async def _capacity(call: Call, requests: Sequence[pb.AlignRequest]) -> float:
    """Answers per second to a few callers who wait for theirs."""
    ended = await closed_loop(call, requests, CALLERS, CAPACITY_S + SETTLING_S)
    return figures([ended], CAPACITY_S + SETTLING_S, SETTLING_S).goodput_per_s


async def _again(every_s: float, act: Callable[[], None]) -> None:
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
    parser.add_argument("--minutes", type=float, default=30.0, help="at least 8 (default: %(default)g)")
    parser.add_argument("--backend", choices=["torchserve", "plain"], default="torchserve", help="default: %(default)s")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="for soak.json and soak.md")
    args = parser.parse_args(arguments)
    if args.minutes < 8:
        parser.error("a trend needs 5 minutes after the warm-up: --minutes 8 or more")
    cores = one_each()
    stay_on(cores.generator)
    requests = own_reports(MODELS, STUDIES)
    with _server(args.backend, cores.server) as (server, roller):
        found = asyncio.run(soak(server, requests, 60 * args.minutes, roller))
    write(found, args.backend, args.output)
    print(words(found, args.backend), table(found), sep="\n\n")
    print("\n".join(found.faults) or "nothing grows, nothing failed, every answer as the first")
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())
