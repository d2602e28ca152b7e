"""Every call, and what became of it within its deadline."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.faults.cases import Case
from wronglung.alignment import Alignment
from wronglung.errors import DeadlineExceeded, WronglungError

DEADLINE_S = 30.0
"""Of every call, tries included."""
_GRACE_S = 2.0
"""For this busy machine to notice that a deadline has passed."""

RIGHT, WRONG, UNANSWERED = "right", "wrong", "unanswered"
"""What can become of a call, beside the code of a typed error."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is over: when it began and ended on the monotonic clock, and what became of it."""

    began: float
    ended: float
    outcome: str


class Ledger:
    """The calls of all callers. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids = itertools.count()
        self._open: dict[int, float] = {}
        self._calls: list[Call] = []

    def begin(self) -> int:
        """Note that a call begins; returns its number."""
        with self._lock:
            number = next(self._ids)
            self._open[number] = time.monotonic()
            return number

    def end(self, number: int, case: Case, result: Alignment | Exception) -> None:
        """Note how it ended. A call that had been given up as unanswered stays so."""
        with self._lock:
            began = self._open.pop(number, None)
            if began is None:
                return
            now = time.monotonic()
            outcome = _judge(case, result) if now - began <= DEADLINE_S + _GRACE_S else UNANSWERED
            self._calls.append(Call(began, now, outcome))

    def take(self) -> Counter[str]:
        """What became of the calls that are over since the last time, by outcome. What is overdue is over, too."""
        with self._lock:
            now = time.monotonic()
            overdue = [n for n, began in self._open.items() if now - began > DEADLINE_S + _GRACE_S]
            self._calls += [Call(self._open.pop(number), now, UNANSWERED) for number in overdue]
            calls, self._calls = self._calls, []
        return Counter(call.outcome for call in calls)

    def close(self) -> Counter[str]:
        """As `take`, when nobody calls any more: what is open now will never be answered."""
        with self._lock:
            now = time.monotonic()
            self._calls += [Call(began, now, UNANSWERED) for began in self._open.values()]
            self._open.clear()
        return self.take()


def _judge(case: Case, result: Alignment | Exception) -> str:
    """A deadline that passed is no answer, even if somebody says so; what is not of our error tree is none either."""
    if isinstance(result, Alignment):
        return RIGHT if case.is_right(result) else WRONG
    if isinstance(result, DeadlineExceeded) or not isinstance(result, WronglungError):
        return UNANSWERED
    return result.code.removeprefix("ERROR_CODE_")


def total(counters: Iterable[Counter[str]]) -> Counter[str]:
    """All of them together."""
    return sum(counters, Counter[str]())
