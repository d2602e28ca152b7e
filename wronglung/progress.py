"""How long steps tell what they have done."""

from collections.abc import Callable

Progress = Callable[[str, int], Callable[[int], object]]
"""Told what begins and how many bytes it is; answers with what to tell each step's bytes."""


def silent(_: str, __: int) -> Callable[[int], object]:
    """Progress that nobody watches."""
    return lambda _: None
