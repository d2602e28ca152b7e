"""A second wording of a sentence: the same statement by another pattern, name or phrase of place.

What is not wording stays: whether the sentence speaks of something new, known or growing, the adjective, the closing
phrase, and whether its pattern is one that is held out for the test split.
"""

from collections.abc import Callable, Sequence

import numpy as np

Fill = Callable[[str, int], str]
"""A pattern filled with the names and phrases that a number at random stands for."""

_TRIES = 12
_SENSES = {
    "new": ("new ", "interval"),
    "known": ("again", "persistent", "unchanged", "redemonstration", "once more", "remains"),
    "growing": ("increasing",),
}


def sense(pattern: str) -> str:
    """`new`, `known`, `growing`, or `plain` where a pattern says nothing of the past."""
    return next((name for name, signs in _SENSES.items() if any(sign in pattern for sign in signs)), "plain")


def other_wording(text: str, pattern: str, patterns: Sequence[str], fill: Fill, rng: np.random.Generator) -> str:
    """Another wording of `text`, which was made by `pattern`, as near to it in length as some draws find; empty if they
    find none. `patterns`: those that may be used, of which only those of the same sense are."""
    alike = [other for other in patterns if sense(other) == sense(pattern)]
    drawn = [fill(alike[i % len(alike)], i // len(alike)) for i in rng.integers(2**62, size=_TRIES).tolist()]
    others, words = [other for other in drawn if other != text], len(text.split())
    return min(others, key=lambda other: abs(len(other.split()) - words), default="")
