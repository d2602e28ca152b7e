"""Everything that a campaign needs, put up before the first fault and taken down after the last."""

import datetime
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.faults.campaign import Campaign, Fault, plan
from benchmarks.faults.cases import make_cases, make_heavy_cases
from benchmarks.faults.clock import Clock
from benchmarks.faults.healing import Healing
from benchmarks.faults.isolation import PacketLoss, small_disk
from benchmarks.faults.kinds import KINDS, LOSS, Scene
from benchmarks.faults.ledger import Ledger
from benchmarks.faults.leftovers import left_behind
from benchmarks.faults.load import Load
from benchmarks.faults.proxy import CuttingProxy
from benchmarks.faults.server import Server
from wronglung.home import project_home

_STUDIES = 6
_DISK_MIB = 512


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line asks for; see its flags."""

    faults: int
    seed: int
    models: Sequence[str]
    kinds: Sequence[str] | None
    lasting: float
    minutes: float
    output: Path
    backend: str


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a campaign."""

    faults: Sequence[Fault]
    asked: int
    """How many faults there were to be."""
    left_out: Mapping[str, str]
    """Kinds that this machine cannot do, and why."""
    exit_status: int
    """Of the server, when it was stopped in the end; 0 is right."""
    left_at_the_end: Sequence[str]
    facts: Mapping[str, str]
    """When, on what, by which code."""
    dead_callers: Sequence[str] = ()
    """Callers that died before the last fault was over."""


def stage(settings: Settings, folder: Path, say: Callable[[str], None]) -> Result:
    """Run a campaign in a folder that is empty and will be removed."""
    disk = folder / "disk"
    disk.mkdir()
    cases, heavy = make_cases(settings.models, _STUDIES), make_heavy_cases(settings.models)
    clock = Clock(folder)
    with small_disk(disk, _DISK_MIB) as disk_missing:
        log = disk / "server.log"  # what the server says goes to the disk that is filled, as its files do
        server = Server(settings.models, settings.backend, disk, log, clock.environment())
        with closing(CuttingProxy(server.port)) as proxy:
            loss = PacketLoss(server.port, LOSS)
            scene = Scene(server, proxy, loss, clock, cases, heavy, Ledger(), disk_missing, settings.lasting)
            try:
                server.start()
                server.await_ready()
                faults, left_out, dead_callers = _hurt(scene, settings, say)
                status = server.stop()
                left = left_behind(server, {proxy.port})
            finally:
                server.bury(0)
                shutil.copy(log, settings.output)
    return Result(faults, settings.faults, left_out, status, left, _facts(settings), dead_callers)


def _hurt(
    scene: Scene, settings: Settings, say: Callable[[str], None]
) -> tuple[list[Fault], dict[str, str], Sequence[str]]:
    """The faults, the kinds that are left out, and the callers that died."""
    wanted = [kind for kind in KINDS if settings.kinds is None or kind.name in settings.kinds]
    left_out = {kind.name: why for kind in wanted if (why := kind.missing(scene))}
    rng = random.Random(settings.seed)
    order = plan([kind for kind in wanted if kind.name not in left_out], settings.faults, rng)
    first = {case.model: case for case in reversed(scene.cases)}
    campaign = Campaign(scene, Healing(scene.server, list(first.values()), scene.ledger), rng, say)
    target, proxied = scene.server.target, scene.proxy.target
    with Load(scene.cases, scene.ledger, [target, target, proxied], proxied, settings.seed) as load:
        faults = list(campaign.run(order, settings.minutes * 60))
    for last in faults[-1:]:  # the callers have waited longer than any deadline by now
        last.calls.update(scene.ledger.close())
    return faults, left_out, load.dead


def _facts(settings: Settings) -> dict[str, str]:
    load = os.getloadavg()[2]
    return {
        "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC",
        "commit": _commit(),
        "machine": f"{os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB; load average {load:.1f}",
        "seed": str(settings.seed),
        "backend": settings.backend,
        "models": ", ".join(settings.models),
    }


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(command, cwd=project_home(), capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
