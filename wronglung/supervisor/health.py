"""How long models have failed, and whether that is long enough to act."""

import time
from collections.abc import Callable, Sequence


class Health:
    """What the gateway's reports of failing models amount to.

    Args:
        sick_s: a model may fail this long, in seconds, before it counts as sick.
        clock: the monotonic clock in seconds.
    """

    def __init__(self, sick_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._sick_s = sick_s
        self._clock = clock
        self._failing_since = 0.0
        self._excused_until = 0.0
        self.failing: tuple[str, ...] = ()

    def report(self, failing: Sequence[str]) -> None:
        """Take note of the models that fail now; none: all is well."""
        if failing and not self.failing:
            self._failing_since = self._clock()
        if not failing:
            self._excused_until = 0.0
        self.failing = tuple(failing)

    def excuse(self, seconds: float) -> None:
        """Something was just started: models may fail for so long, or until all is well."""
        self._excused_until = self._clock() + seconds

    @property
    def sick(self) -> bool:
        """Whether a model has failed for too long."""
        return bool(self.failing) and self._clock() > max(self._failing_since + self._sick_s, self._excused_until)
