"""How much work may be at TorchServe at once."""

import asyncio

import pytest

from wronglung.gateway.admission import Capacity, Gate, Load

SMALL = Capacity(Load(4, 20, 1000), reserved=1)


def load(units: int = 1, size: int = 1) -> Load:
    return Load(1, units, size)


@pytest.mark.parametrize("heavy", [load(units=15), load(size=990)], ids=["work", "bytes"])
async def test_is_bounded_by_work_and_by_bytes_not_only_by_count(heavy: Load) -> None:
    gate = Gate(SMALL)
    assert gate.try_enter(heavy)
    assert not gate.try_enter(heavy)
    gate.leave(heavy, seconds=1)
    assert gate.try_enter(heavy)


async def test_what_is_larger_than_the_bounds_is_let_in_alone() -> None:
    gate = Gate(SMALL)
    assert gate.try_enter(load(units=1000))
    assert not gate.try_enter(load())


async def test_a_line_is_served_in_order() -> None:
    gate, order = Gate(SMALL), []

    async def go(name: int) -> None:
        await gate.enter(load())
        order.append(name)
        await asyncio.sleep(0)
        gate.leave(load(), seconds=0.1)

    await asyncio.gather(*(go(name) for name in range(20)))
    assert order == list(range(20))
    assert gate.load == Load()


async def test_a_heavy_request_is_not_overtaken_for_ever_by_light_ones() -> None:
    gate = Gate(SMALL)
    await gate.enter(load(units=10))
    heavy = asyncio.create_task(gate.enter(load(units=15)))
    await asyncio.sleep(0)
    light = asyncio.create_task(gate.enter(load()))
    await asyncio.sleep(0)
    assert not light.done()
    gate.leave(load(units=10), seconds=1)
    await asyncio.gather(heavy, light)


async def test_whoever_gives_up_in_line_holds_nobody_up() -> None:
    gate = Gate(SMALL)
    await gate.enter(load(units=20))
    impatient = asyncio.create_task(gate.enter(load(units=20)))
    patient = asyncio.create_task(gate.enter(load()))
    await asyncio.sleep(0)
    impatient.cancel()
    gate.leave(load(units=20), seconds=1)
    await patient
    assert gate.load == load()


async def test_room_granted_to_someone_who_gave_up_at_that_moment_is_not_lost() -> None:
    gate = Gate(SMALL)
    await gate.enter(load(units=20))
    unlucky = asyncio.create_task(gate.enter(load()))
    await asyncio.sleep(0)
    gate.leave(load(units=20), seconds=1)
    unlucky.cancel()
    with pytest.raises(asyncio.CancelledError):
        await unlucky
    assert gate.load == Load()


async def test_retry_advice_follows_how_long_requests_take() -> None:
    quick, slow = Gate(SMALL), Gate(SMALL)
    for _ in range(50):
        for gate, seconds in ((quick, 0.02), (slow, 4.0)):
            await gate.enter(load())
            gate.leave(load(), seconds)
    assert 50 <= quick.retry_after_ms < 100
    assert 3000 < slow.retry_after_ms <= 4000


def test_a_requests_load_counts_sentences_and_megapixels() -> None:
    assert Load.of_request(sentences=5, pixels=25_000_000, size=10) == Load(1, 1 + 5 + 3, 10)


@pytest.mark.parametrize(
    ("workers", "batch_size", "queue_size", "requests"), [(2, 8, 100, 32), (1, 1, 100, 8), (4, 32, 100, 100)]
)
def test_capacity_is_two_batches_per_worker_but_not_too_few_and_never_more_than_the_queue_holds(
    workers: int, batch_size: int, queue_size: int, requests: int
) -> None:
    assert Capacity.for_model(workers, batch_size, queue_size).total.requests == requests
