"""Specification of looking ahead: the next item is begun, and no further one."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from wronglung.ahead import one_ahead


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_results_come_in_order(pool: ThreadPoolExecutor, count: int) -> None:
    assert [result() for result in one_ahead(pool, str, range(count))] == [str(each) for each in range(count)]


def test_the_next_is_begun_while_one_is_worked_on_and_none_after_it(pool: ThreadPoolExecutor) -> None:
    begun = [threading.Event() for _ in range(4)]
    ahead = one_ahead(pool, lambda index: begun[index].set(), range(4))
    next(ahead)()
    assert begun[1].wait(10)
    assert not begun[2].wait(0.1)
    next(ahead)()
    assert begun[2].wait(10)
    assert not begun[3].wait(0.1)


def test_what_fails_fails_by_itself(pool: ThreadPoolExecutor) -> None:
    first, second, third = one_ahead(pool, lambda divisor: 6 // divisor, [1, 0, 2])
    assert first() == 6
    with pytest.raises(ZeroDivisionError):
        second()
    assert third() == 3
