"""Prepare the next item while the last one is being worked on."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def one_ahead(
    pool: Executor, prepare: Callable[[Item], Result], items: Sequence[Item]
) -> Iterator[Callable[[], Result]]:
    """For each item, in order, what waits for its preparation and returns or raises what came of it.

    When one is handed out, the next is already begun; none after that, so that no more than two are held.
    """
    waiting: Future[Result] | None = None
    for index, item in enumerate(items):
        current = pool.submit(prepare, item) if waiting is None else waiting
        waiting = None
        if index + 1 < len(items):
            waiting = pool.submit(prepare, items[index + 1])
        yield current.result
