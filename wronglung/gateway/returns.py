"""When those who were turned away are to come again: one after the other.

Refusing a request costs the gateway a good part of what an answer costs it. Those who are refused together and come
back together are refused again, and what that costs makes others be refused: a burst that the model would have got
through within a second went on for half a minute (docs/decisions/0123). So each is told a time of its own, and all
that is told comes to a share of what the model answers. Every party has its own line: whoever comes seldom does not
stand behind those who come all the time.
"""

import random

_SHARE = 0.25
"""Of what the model answers; the rest is for those who come for the first time."""
_SHORTEST_RETRY_MS = 50
_LONGEST_RETRY_MS = 10_000
_MOST_PARTIES = 64
"""Who are remembered; of more, those whose last turn is soonest are forgotten."""


class Returns:
    """The turns that were given."""

    def __init__(self) -> None:
        self._last_s: dict[str, float] = {}

    def give(self, party: str, now_s: float, latency_s: float, answer_s: float) -> int:
        """In how many milliseconds a party that was turned away is to come again.

        Args:
            party: who.
            now_s: the time.
            latency_s: after so long there may be room, in seconds.
            answer_s: the model answers one request in so many seconds, many being at work at once.
        """
        self._forget(now_s)
        latest_s = now_s + _LONGEST_RETRY_MS / 1000
        soonest_s = min(now_s + max(_SHORTEST_RETRY_MS / 1000, latency_s), latest_s)
        parties = len(self._last_s.keys() | {party})
        turn_s = max(soonest_s, self._last_s.get(party, 0.0) + parties * answer_s / _SHARE)
        if turn_s > latest_s:  # the line is too long: anywhere in it, so that its end is no crowd
            turn_s = random.uniform(soonest_s, latest_s)
        self._last_s[party] = max(turn_s, self._last_s.get(party, 0.0))
        return round(1000 * (turn_s - now_s))

    def clear(self) -> None:
        """There is nothing to wait for."""
        self._last_s.clear()

    def _forget(self, now_s: float) -> None:
        """Whose turns have passed, and of too many some."""
        open_turns = sorted((last_s, party) for party, last_s in self._last_s.items() if last_s > now_s)
        self._last_s = {party: last_s for last_s, party in open_turns[-_MOST_PARTIES:]}
