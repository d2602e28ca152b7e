"""What is done to a server. Each kind says what it needs, does its harm, and which processes died of it."""

import contextlib
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.faults.cases import Case
from benchmarks.faults.clock import Clock
from benchmarks.faults.isolation import PacketLoss
from benchmarks.faults.ledger import DEADLINE_S, Ledger
from benchmarks.faults.load import ask, flood
from benchmarks.faults.proxy import CuttingProxy
from benchmarks.faults.server import Server
from wronglung.client import AlignmentClient

LOSS = 0.1
_CUT_S = 5.0
"""Within this time a message comes by, under any load."""
_JUMPS_S = (-3600, 3600, 400 * 86400)
_FLOOD = 4
"""Times the requests that one model's batches and queue hold."""
_ADMITTED = 16
"""Requests that a model of one worker with batches of eight lets in: two batches."""
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Scene:
    """All that a fault may lay hands on."""

    server: Server
    proxy: CuttingProxy
    loss: PacketLoss
    clock: Clock
    cases: Sequence[Case]
    heavy: Sequence[Case]
    """Of large images, one for each model."""
    ledger: Ledger
    disk_missing: str
    """Why the server's disk cannot be filled, or nothing."""
    lasting_s: float
    """How long what lasts goes on: a bad network, a flood, a full disk, a wrong time of day."""


@dataclass(frozen=True, slots=True)
class Harm:
    """What was done.

    Attributes:
        at: from then on healing counts, on the monotonic clock: when something was killed, or when what lasted a while
            was over.
        dead: processes that were killed and must not come back.
        note: what else there is to say.
    """

    at: float
    dead: tuple[int, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault.

    Attributes:
        name: as the table has it.
        target_s: how long healing may take, in seconds; None: no promise was made.
        missing: why this machine cannot do it, or nothing.
        inject: does it; returns when the fault itself is over.
    """

    name: str
    target_s: float | None
    inject: Callable[[Scene, random.Random], Harm]
    missing: Callable[[Scene], str] = lambda _: ""


def _kill(victims: Sequence[psutil.Process], rng: random.Random) -> Harm:
    victim = rng.choice(victims)
    victim.kill()
    return Harm(time.monotonic(), (victim.pid,))


def _kill_supervisor(scene: Scene, _: random.Random) -> Harm:
    """Nobody is there to start it again but us, as a kubelet or systemd would be."""
    dead = tuple(each.pid for each in scene.server.family)
    at = time.monotonic()
    scene.server.supervisor.kill()
    scene.server.bury()
    scene.server.start()
    return Harm(at, dead)


def _cut(scene: Scene, _: random.Random) -> Harm:
    cut = scene.proxy.cut(_CUT_S)
    return Harm(time.monotonic(), note="" if cut else "no message came by to be cut")


def _lose_packets(scene: Scene, _: random.Random) -> Harm:
    scene.loss.begin()
    try:
        time.sleep(scene.lasting_s)
    finally:
        lost = scene.loss.end()
    return Harm(time.monotonic(), note=f"{lost} packets lost")


def _fill_disk(scene: Scene, rng: random.Random) -> Harm:
    """A worker is killed meanwhile, so that there is something to log and to write."""
    with _full(scene.server.temporary):
        harm = _kill(scene.server.workers, rng)
        time.sleep(scene.lasting_s)
    return harm


@contextmanager
def _full(folder: Path) -> Iterator[None]:
    """While the block lasts, the disk of a folder has no byte left."""
    ballast = folder / "ballast"
    try:
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            os.posix_fallocate(file.fileno(), 0, os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize)
            while True:
                file.write(bytes(4096))
        yield
    finally:
        ballast.unlink(missing_ok=True)


def _jump(scene: Scene, rng: random.Random) -> Harm:
    """There and, a while later, back again: two jumps."""
    seconds = rng.choice(_JUMPS_S)
    scene.clock.jump(seconds)
    time.sleep(scene.lasting_s)
    scene.clock.jump(0)
    return Harm(time.monotonic(), note=f"{seconds:+d} s")


def _flood(scene: Scene, rng: random.Random) -> Harm:
    model = rng.choice(scene.server.models)
    cases = [case for case in scene.cases if case.model == model]
    flood(scene.server.target, cases, scene.ledger, _FLOOD * _ADMITTED, scene.lasting_s)
    return Harm(time.monotonic(), note=model)


def _starve(scene: Scene, rng: random.Random) -> Harm:
    """From now on a worker gets no more address space than it has: whatever needs more of it fails there."""
    worker = rng.choice(scene.server.workers)
    _, hard = worker.rlimit(psutil.RLIMIT_AS)
    worker.rlimit(psutil.RLIMIT_AS, (worker.memory_info().vms, hard))
    at = time.monotonic()
    with AlignmentClient(scene.server.target, timeout_s=DEADLINE_S) as client:
        for case in scene.heavy:  # whichever model's worker it is
            ask(client, case, scene.ledger)
    return Harm(at, (worker.pid,))


KINDS: tuple[Kind, ...] = (
    Kind("worker killed", 15, lambda scene, rng: _kill(scene.server.workers, rng)),
    Kind("backend killed", 40, lambda scene, rng: _kill(scene.server.backend, rng)),
    Kind("gateway killed", None, lambda scene, rng: _kill(scene.server.gateway, rng)),
    Kind("supervisor killed", None, _kill_supervisor),
    Kind("connection cut in mid-message", None, _cut),
    Kind(f"{LOSS:.0%} packet loss", None, _lose_packets, lambda scene: scene.loss.missing()),
    Kind("disk full, worker killed", 15, _fill_disk, lambda scene: scene.disk_missing),
    Kind("clock jump", None, _jump, lambda scene: scene.clock.missing()),
    Kind("flood at 4 times capacity", None, _flood),
    Kind("worker out of memory", 15, _starve),
)
