"""When those who were turned away are to come again: one after the other.

Refusing a request costs the gateway a good part of what an answer costs it. Those who are refused together and come
back together are refused again, and what that costs makes others be refused: a burst that the model would have got
through within a second went on for half a minute (docs/decisions/0123). So everyone is given a time of their own.
"""

_SHORTEST_RETRY_MS = 50
_LONGEST_RETRY_MS = 10_000


class Returns:
    """The times that were given."""

    def __init__(self) -> None:
        self._last_s = 0.0

    def give(self, now_s: float, answer_s: float, step_s: float) -> int:
        """In how many milliseconds the next one is to come.

        Args:
            now_s: the time.
            answer_s: after so long there may be room.
            step_s: so long after the last one whom a time was given.
        """
        soonest_s = now_s + max(_SHORTEST_RETRY_MS / 1000, answer_s)
        self._last_s = min(max(soonest_s, self._last_s + step_s), now_s + _LONGEST_RETRY_MS / 1000)
        return round(1000 * (self._last_s - now_s))
