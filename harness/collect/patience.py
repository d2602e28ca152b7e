"""When a request that failed is sent again, when it has failed for good, and when the server counts as lost.

A part of a server that dies comes back within a minute; until then every request fails, and none of them has done
anything wrong. Only a request that keeps failing while others are answered is at fault itself.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from wronglung.errors import InvalidRequest, WronglungError

ATTEMPTS = 4
FIRST_WAIT_S = 0.25
LONGEST_WAIT_S = 8.0
PATIENCE_S = 60.0
"""How long a server may answer nothing before it counts as lost."""


@dataclass(slots=True)
class Patience:
    """The failures of the requests in flight, and of all requests in a row."""

    window: int
    """Most requests in flight."""
    clock: Callable[[], float] = time.monotonic
    _attempts: Counter[str] = field(default_factory=Counter)
    _first_failure: dict[str, float] = field(default_factory=dict)
    _in_a_row: list[str] = field(default_factory=list)
    _row_began: float = 0.0

    @property
    def in_a_row(self) -> int:
        """Failures on the server's side since it last did what was asked, or told what is wrong with a request."""
        return len(self._in_a_row)

    def note_answer(self, request_id: str) -> None:
        """A request was answered."""
        self._in_a_row.clear()
        self._forget(request_id)

    def note_failure(self, request_id: str, error: WronglungError) -> None:
        """A request failed."""
        now = self.clock()
        self._attempts[request_id] += 1
        self._first_failure.setdefault(request_id, now)
        if isinstance(error, InvalidRequest):
            self._in_a_row.clear()
            return
        if not self._in_a_row:
            self._row_began = now
        self._in_a_row.append(request_id)

    def is_lost(self, error: WronglungError) -> bool:
        """Whether the server is lost: more than twice as many failures in a row as can be in flight; where waiting
        may help, of several requests and for longer than patience lasts."""
        if self.in_a_row <= 2 * self.window:
            return False
        waited_s = self.clock() - self._row_began
        return not error.retryable or (waited_s >= PATIENCE_S and len(set(self._in_a_row)) > 1)

    def gives_up(self, request_id: str, error: WronglungError) -> bool:
        """Whether a request that failed has failed for good: sending it again cannot help, or did not help often enough
        while others were answered, or for longer than patience lasts."""
        if error.retryable and not self._at_fault(request_id):
            return False
        self._forget(request_id)
        return True

    def _at_fault(self, request_id: str) -> bool:
        if self._attempts[request_id] < ATTEMPTS:
            return False
        first = self._first_failure[request_id]
        others_were_answered = not self._in_a_row or first < self._row_began
        return others_were_answered or self.clock() - first >= PATIENCE_S

    def wait_s(self, error: WronglungError) -> float:
        """Seconds to wait before the next try: doubled with every failure in a row, or what the server advises."""
        doubled = FIRST_WAIT_S * 2.0 ** min(self.in_a_row - 1, 10)
        return max(error.retry_after_ms / 1000, min(doubled, LONGEST_WAIT_S))

    def _forget(self, request_id: str) -> None:
        self._attempts.pop(request_id, None)
        self._first_failure.pop(request_id, None)
