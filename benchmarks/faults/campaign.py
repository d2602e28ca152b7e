"""One fault after the other, at random moments, each judged by what became of the calls and of the server."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.faults.healing import Healing
from benchmarks.faults.kinds import Kind, Scene
from benchmarks.faults.leftovers import left_behind

_QUIET = (0.1, 0.6)
"""Between a healing and the next fault, at random, as a share of how long a fault lasts that lasts."""
_HEALING_S = 180.0
"""After this a server is given up, and a new one is started."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault and what came of it."""

    kind: str
    note: str
    healed_s: float | None
    """Seconds from `Harm.at` until the server was healthy; None: never, it was given up."""
    calls: Counter[str]
    """Calls that ended since it began and before the next one, by outcome."""
    left: tuple[str, ...]
    """What was left behind."""


def plan(kinds: Sequence[Kind], faults: int, rng: random.Random) -> list[Kind]:
    """As many of each kind, in random order."""
    each, more = divmod(faults, len(kinds))
    order = [*kinds] * each + rng.sample(kinds, more)
    rng.shuffle(order)
    return order


class Campaign:
    """Hurts one server.

    Args:
        scene: the server and all that faults lay hands on; it is healthy, and under load.
        healing: says when it is healthy again.
        rng: of moments and victims.
        say: told what happens.
    """

    def __init__(self, scene: Scene, healing: Healing, rng: random.Random, say: Callable[[str], None]) -> None:
        self._scene = scene
        self._healing = healing
        self._rng = rng
        self._say = say
        self._ours = {scene.proxy.port}

    def run(self, kinds: Sequence[Kind], seconds: float) -> Iterator[Fault]:
        """Each of them in turn; none is begun when so many seconds have passed."""
        until = time.monotonic() + seconds
        for number, kind in enumerate(kinds, 1):
            if time.monotonic() > until:
                self._say(f"time is up: {len(kinds) - number + 1} faults are left undone")
                return
            fault = self._inflict(kind)
            time.sleep(self._rng.uniform(*_QUIET) * self._scene.lasting_s)
            fault.calls.update(self._scene.ledger.take())
            self._say(f"{number}/{len(kinds)} {_in_words(fault)}")
            yield fault

    def _inflict(self, kind: Kind) -> Fault:
        harm = kind.inject(self._scene, self._rng)
        healthy = self._healing.await_healthy(harm.dead, _HEALING_S)
        if healthy is None:
            self._start_anew()
        left = left_behind(self._scene.server, self._ours)
        healed_s = None if healthy is None else healthy - harm.at
        return Fault(kind.name, harm.note, healed_s, self._scene.ledger.take(), tuple(left))

    def _start_anew(self) -> None:
        server = self._scene.server
        self._say(f"not healthy again; the server's last words:\n{server.said()[-3000:]}")
        server.bury()
        server.start()
        server.await_ready()


def _in_words(fault: Fault) -> str:
    healed = "not healed" if fault.healed_s is None else f"healed after {fault.healed_s:.1f} s"
    calls = ", ".join(f"{count} {outcome}" for outcome, count in fault.calls.most_common())
    return "; ".join(filter(None, [fault.kind, fault.note, healed, calls, *fault.left]))
