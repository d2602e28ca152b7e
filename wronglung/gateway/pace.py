"""How quickly a model gets through its work, and so how much of it fits into a time."""

import math

_WEIGHT = 0.05
"""Of the last answer; a batch of eight comes at once."""


class Pace:
    """Seconds per answer while there is work, as a moving mean; infinite before the first one."""

    def __init__(self) -> None:
        self.seconds = math.inf
        self._since_s = 0.0

    def begin(self, now_s: float) -> None:
        """There is work again, or the time until now tells nothing."""
        self._since_s = now_s

    def answered(self, now_s: float) -> None:
        """One more was answered."""
        took_s = now_s - self._since_s
        self.seconds = took_s if math.isinf(self.seconds) else self.seconds + _WEIGHT * (took_s - self.seconds)
        self._since_s = now_s

    def fit_into(self, seconds: float, most: int) -> int:
        """How many answers there are in so many seconds, at most `most`."""
        return most if self.seconds * most <= seconds else int(seconds / self.seconds)
