"""How much work may be at TorchServe at once."""

import asyncio
from collections import Counter, deque
from itertools import pairwise

import pytest

from wronglung.gateway.admission import Admission, Place, Refusal
from wronglung.gateway.load import Capacity, Load
from wronglung.limits import LIMITS

SMALL = Capacity(Load(4, 20, 1000), reserved=1)


def load(units: int = 1, size: int = 1) -> Load:
    return Load(1, units, size)


def entered(admission: Admission, load: Load, party: str = "") -> Place | None:
    """The place of a unary call, if there is one."""
    found = admission.try_enter(load, party)
    return found if isinstance(found, Place) else None


@pytest.mark.parametrize("heavy", [load(units=15), load(size=990)], ids=["work", "bytes"])
async def test_is_bounded_by_work_and_by_bytes_not_only_by_count(heavy: Load) -> None:
    admission = Admission(SMALL)
    place = entered(admission, heavy)
    assert place is not None
    assert not entered(admission, heavy)
    place.leave(1)
    assert entered(admission, heavy)


async def test_what_is_larger_than_the_bounds_is_let_in_alone() -> None:
    admission = Admission(SMALL)
    assert entered(admission, load(units=1000))
    assert not entered(admission, load())


async def test_a_line_is_served_in_order() -> None:
    admission, order = Admission(SMALL), []

    async def go(name: int) -> None:
        place = await admission.enter(load())
        order.append(name)
        await asyncio.sleep(0)
        place.leave(0.1)

    await asyncio.gather(*(go(name) for name in range(20)))
    assert order == list(range(20))
    assert admission.load == Load()


async def test_a_heavy_request_is_not_overtaken_for_ever_by_light_ones() -> None:
    admission = Admission(SMALL)
    first = await admission.enter(load(units=10))
    heavy = asyncio.create_task(admission.enter(load(units=15)))
    await asyncio.sleep(0)
    light = asyncio.create_task(admission.enter(load()))
    await asyncio.sleep(0)
    assert not light.done()
    first.leave(1)
    await asyncio.gather(heavy, light)


async def test_whoever_gives_up_in_line_holds_nobody_up() -> None:
    admission = Admission(SMALL)
    first = await admission.enter(load(units=20))
    impatient = asyncio.create_task(admission.enter(load(units=20)))
    patient = asyncio.create_task(admission.enter(load()))
    await asyncio.sleep(0)
    impatient.cancel()
    first.leave(1)
    await patient
    assert admission.load == load()


async def test_room_granted_to_someone_who_gave_up_at_that_moment_is_not_lost() -> None:
    admission = Admission(SMALL)
    first = await admission.enter(load(units=20))
    unlucky = asyncio.create_task(admission.enter(load()))
    await asyncio.sleep(0)
    first.leave(1)
    unlucky.cancel()
    with pytest.raises(asyncio.CancelledError):
        await unlucky
    assert admission.load == Load()


def advice(admission: Admission, party: str = "") -> int:
    """What a full model says to one who is turned away, in milliseconds."""
    refusal = admission.try_enter(load(), party)
    assert isinstance(refusal, Refusal)
    return refusal.retry_after_ms


async def full(seconds: float) -> tuple[Admission, list[Place]]:
    """A model that is full and took so long for each request of late."""
    admission = Admission(SMALL, clock=lambda: 100.0)
    for _ in range(50):
        (await admission.enter(load())).leave(seconds)
    return admission, [place for _ in range(4) if (place := entered(admission, load())) is not None]


async def test_retry_advice_follows_how_long_requests_take() -> None:
    quick, slow = (await full(0.02))[0], (await full(4.0))[0]
    assert 50 <= advice(quick) < 100
    assert 3000 < advice(slow) <= 4000


async def test_those_who_are_turned_away_together_come_again_at_a_quarter_of_the_models_pace() -> None:
    admission, _ = await full(0.4)  # four at once: ten a second
    told = [advice(admission) for _ in range(10)]
    assert [later - sooner for sooner, later in pairwise(told)] == pytest.approx([400] * 9, abs=20)


async def test_a_caller_who_is_turned_away_all_the_time_does_not_send_another_away_for_long() -> None:
    admission, _ = await full(0.4)
    for _ in range(500):
        advice(admission, "greedy")
    assert advice(admission, "modest") == pytest.approx(400, abs=20)


async def test_a_model_without_work_waits_for_nobody() -> None:
    admission, places = await full(0.4)
    for _ in range(10):
        advice(admission)
    for place in places:
        place.leave(0.4)
    again = [place for _ in range(4) if (place := entered(admission, load())) is not None]
    assert len(again) == 4
    assert advice(admission) == pytest.approx(400, abs=20)


def test_a_requests_load_counts_sentences_and_megapixels() -> None:
    assert Load.of_request(sentences=5, pixels=25_000_000, size=10) == Load(1, 1 + 5 + 3, 10)


@pytest.mark.parametrize(
    ("workers", "batch_size", "queue_size", "requests"), [(2, 8, 100, 32), (1, 1, 100, 8), (4, 32, 100, 100)]
)
def test_capacity_is_two_batches_per_worker_but_not_too_few_and_never_more_than_the_queue_holds(
    workers: int, batch_size: int, queue_size: int, requests: int
) -> None:
    assert Capacity.for_model(workers, batch_size, queue_size).total.requests == requests


@pytest.mark.parametrize("response_s", [1.0, 60.0, 120.0, 600.0])
@pytest.mark.parametrize("workers", [1, 3])
def test_half_of_any_capacity_holds_the_heaviest_request(workers: int, response_s: float) -> None:
    """Else a stream that brings it would wait for ever beside unary calls."""
    heaviest = Load.of_request(LIMITS.sentences, LIMITS.image_pixels, LIMITS.message_bytes)
    capacity = Capacity.for_model(workers, batch_size=1, queue_size=100, response_s=response_s)
    assert heaviest.within(capacity.total.half())


@pytest.mark.parametrize(("workers", "response_s"), [(1, 120.0), (3, 120.0), (1, 600.0), (9, 600.0)])
def test_one_worker_gets_done_in_time_all_that_is_let_in_however_slow_its_network(
    workers: int, response_s: float
) -> None:
    """All of it may be one batch, and TorchServe would kill the worker."""
    units = Capacity.for_model(workers, batch_size=8, queue_size=1000, response_s=response_s).total.units
    assert 0.2 * units <= 0.9 * response_s


@pytest.mark.parametrize("unary", [load(), load(units=4), load(units=10), load(units=17), load(size=400)], ids=str)
@pytest.mark.parametrize("stream", [load(), load(units=10), load(size=500)], ids=str)
async def test_unary_calls_without_end_do_not_starve_a_stream(unary: Load, stream: Load) -> None:
    """As soon as one is done, as many others come as are let in."""
    admission = Admission(SMALL)
    places: list[Place] = []

    def flood() -> None:
        while (place := entered(admission, unary)) is not None:
            places.append(place)

    flood()
    waiting = asyncio.create_task(admission.enter(stream))
    for _ in range(20):
        await asyncio.sleep(0)
        if waiting.done():
            return
        places.pop(0).leave(0.01)
        flood()
    raise AssertionError("the stream's request was never let in")


async def test_where_both_want_everything_unary_calls_find_a_quarter() -> None:
    admission = Admission(Capacity(Load(8, 1000, 10_000), reserved=2))
    unary = [place for _ in range(8) if (place := entered(admission, load())) is not None]
    assert len(unary) == 8
    streams = [asyncio.create_task(admission.enter(load())) for _ in range(20)]
    await asyncio.sleep(0)
    for place in unary:
        place.leave(0.01)
        entered(admission, load())
    await asyncio.sleep(0)
    assert admission.load.requests == 8
    assert sum(each.done() for each in streams) == 6
    for each in streams:
        each.cancel()


async def test_without_streams_unary_calls_may_have_it_all() -> None:
    admission = Admission(SMALL)
    assert [entered(admission, load()) is not None for _ in range(5)] == [True, True, True, True, False]


async def test_a_caller_who_has_it_all_makes_room_for_another_who_was_turned_away() -> None:
    admission = Admission(SMALL)
    greedy = [entered(admission, load(), "greedy") for _ in range(4)]
    assert all(greedy)
    assert not entered(admission, load(), "modest")
    for place in greedy[:2]:
        assert place is not None
        place.leave(0.01)
    assert entered(admission, load(), "greedy")  # one of the two that came free
    assert not entered(admission, load(), "greedy")
    assert entered(admission, load(), "modest")


async def test_where_two_want_everything_each_gets_half() -> None:
    """Although one always asks before the other."""
    admission = Admission(SMALL)
    held: deque[tuple[str, Place]] = deque()
    served = Counter[str]()
    for _ in range(100):
        for party in ("first", "first", "second"):
            if place := entered(admission, load(), party):
                held.append((party, place))
                served[party] += 1
        held.popleft()[1].leave(0.01)
    assert min(served.values()) > 0.4 * served.total()


async def test_the_stream_of_who_holds_least_comes_first() -> None:
    admission, order = Admission(SMALL), list[str]()
    busy = [await admission.enter(load(), "many streams") for _ in range(3)]

    async def wait(party: str) -> None:
        await admission.enter(load(), party)
        order.append(party)

    waiting = [asyncio.create_task(wait(party)) for party in ("many streams", "many streams", "one stream")]
    await asyncio.sleep(0)
    for place in busy:
        place.leave(0.01)
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    assert order[0] == "one stream"


@pytest.mark.parametrize(
    ("units", "response_s", "patience_s"),
    [(1, 120, 45), (30, 120, 60), (534, 120, 108), (534, 600, 540), (534, 10, 45)],
)
def test_a_model_may_be_silent_for_45_seconds_or_for_what_its_load_is_worth_if_torchserve_is_not_first(
    units: int, response_s: float, patience_s: float
) -> None:
    capacity = Capacity.for_model(workers=1, batch_size=8, queue_size=100, response_s=response_s)
    assert capacity.patience_s(load(units=units)) == patience_s


def test_jpeg_2000_in_a_full_queue_has_time_to_be_decoded() -> None:
    """An 8-megapixel image took 6 s on a machine with other work, the largest one 27 s; a batch has 8."""
    capacity = Capacity.for_model(workers=1, batch_size=8, queue_size=100)
    image, largest = (Load.of_request(sentences=1, pixels=pixels, size=1) for pixels in (8_000_000, 100_000_000))
    sixteen = Load(16, 16 * image.units, 16)
    assert capacity.patience_s(sixteen) > 8 * 6
    assert capacity.patience_s(largest) > 27
