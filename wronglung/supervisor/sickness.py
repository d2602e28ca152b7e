"""How long models have failed, and whether that is long enough to act."""

import time
from collections.abc import Callable, Sequence


class Sickness:
    """What the gateway's reports of failing models amount to.

    Args:
        sick_s: a model may fail this long, in seconds, before it counts as sick.
        clock: the monotonic clock in seconds.
    """

    def __init__(self, sick_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._sick_s = sick_s
        self._clock = clock
        self._since: dict[str, float] = {}
        self._excused_until = 0.0

    def report(self, failing: Sequence[str]) -> None:
        """Take note of the models that fail now; none: all is well."""
        now = self._clock()
        self._since = {model: self._since.get(model, now) for model in failing}
        if not failing:
            self._excused_until = 0.0

    def excuse(self, seconds: float) -> None:
        """Something was just started: models may fail for so long, unless a longer time runs, or until all is well."""
        self._excused_until = max(self._excused_until, self._clock() + seconds)

    @property
    def failing(self) -> tuple[str, ...]:
        """The models that fail now."""
        return tuple(self._since)

    @property
    def overdue_s(self) -> float:
        """For how long, in seconds, a model has failed beyond what it may; 0: none has."""
        if not self._since:
            return 0.0
        due = max(min(self._since.values()) + self._sick_s, self._excused_until)
        return max(0.0, self._clock() - due)

    @property
    def sick(self) -> bool:
        """Whether a model has failed for too long."""
        return self.overdue_s > 0
