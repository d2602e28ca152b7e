"""A call that is open when the load ends is judged, with the last fault."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.faults import stage as module
from benchmarks.faults.campaign import Fault
from benchmarks.faults.ledger import Ledger
from benchmarks.faults.stage import Settings


class QuickCampaign:
    """Two faults, of which nobody notices anything."""

    def __init__(self, *_: object) -> None: ...
    def run(self, *_: object) -> Iterator[Fault]:
        for _ in range(2):
            yield Fault("flood", "", 0.1, Counter(right=1), ())


class LeavingLoad:
    """Leaves a call open that began during the last fault, and a caller dead."""

    def __init__(self, _: object, ledger: Ledger, *__: object) -> None:
        self._ledger = ledger
        self.dead: list[str] = []

    def __enter__(self) -> "LeavingLoad":
        return self

    def __exit__(self, *_: object) -> None:
        self._ledger.begin()
        self.dead.append("caller 3")


def test_what_is_open_when_the_callers_are_gone_is_unanswered_and_counts_with_the_last_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "Campaign", QuickCampaign)
    monkeypatch.setattr(module, "Load", LeavingLoad)
    address = SimpleNamespace(target="nowhere:1")
    scene: Any = SimpleNamespace(server=address, proxy=address, cases=[], ledger=Ledger())
    settings = Settings(2, 0, [], ["gateway killed"], 0.1, 1, Path(), "torchserve")
    faults, _, dead = module._hurt(scene, settings, print)
    assert [fault.calls for fault in faults] == [{"right": 1}, {"right": 1, "unanswered": 1}]
    assert dead == ["caller 3"]
