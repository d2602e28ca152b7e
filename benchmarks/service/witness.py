"""Holds every answer against the first one to the same request, and remembers which version gave it."""

import hashlib
import time
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.service.calls import ANSWERED, complete
from wronglung.v1 import alignment_pb2 as pb

DIFFERENT = "DIFFERENT"
"""What is said of an answer that is not the first one's, bit for bit."""


class Seen(NamedTuple):
    """An answer."""

    at_s: float
    """On the clock of `time.perf_counter`."""
    model: str
    version: str


class Roll(NamedTuple):
    """A change of the default version."""

    at_s: float
    """On the clock of `time.perf_counter`."""
    version: str


class Witness:
    """A judge of answers, see `calls.Judge`. Requests are known by identity: send the same objects again."""

    def __init__(self) -> None:
        self._first: dict[int, bytes] = {}
        self.seen: list[Seen] = []

    def judge(self, request: pb.AlignRequest, answer: pb.AlignResponse) -> str:
        """`OK` if every sentence has the map that it had the first time."""
        self.seen.append(Seen(time.perf_counter(), answer.model.name, answer.model.version))
        verdict = complete(request, answer)
        if verdict != ANSWERED:
            return verdict
        results = b"".join(each.SerializeToString(deterministic=True) for each in answer.results)
        digest = hashlib.sha256(results).digest()
        return ANSWERED if self._first.setdefault(id(request), digest) == digest else DIFFERENT


def stale(seen: Sequence[Seen], rolls: Sequence[Roll], model: str, within_s: float) -> int:
    """How many answers of a model came from a version that had not been the default for `within_s`."""
    late = 0
    for index, roll in enumerate(rolls):
        end = rolls[index + 1].at_s if index + 1 < len(rolls) else float("inf")
        late += sum(
            each.model == model and each.version != roll.version
            for each in seen
            if roll.at_s + within_s < each.at_s < end
        )
    return late
