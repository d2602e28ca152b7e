"""How much work may be at TorchServe at once."""

import asyncio
from collections import Counter, deque
from itertools import pairwise

import pytest

from wronglung.gateway.admission import Admission, Place
from wronglung.gateway.load import Capacity, Load
from wronglung.limits import LIMITS

SMALL = Capacity(Load(4, 20, 1000), reserved=1)


def load(units: int = 1, size: int = 1) -> Load:
    return Load(1, units, size)


@pytest.mark.parametrize("heavy", [load(units=15), load(size=990)], ids=["work", "bytes"])
async def test_is_bounded_by_work_and_by_bytes_not_only_by_count(heavy: Load) -> None:
    admission = Admission(SMALL)
    place = admission.try_enter(heavy)
    assert place is not None
    assert not admission.try_enter(heavy)
    place.leave(1)
    assert admission.try_enter(heavy)


async def test_what_is_larger_than_the_bounds_is_let_in_alone() -> None:
    admission = Admission(SMALL)
    assert admission.try_enter(load(units=1000))
    assert not admission.try_enter(load())


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


class Clock:
    """Stands still unless told otherwise."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


QUICK = Capacity.for_model(workers=1, batch_size=8, queue_size=100)


async def answer_in_batches(admission: Admission, clock: Clock, seconds: float, batches: int = 20) -> None:
    """Two batches of eight are there at any time; one takes so long."""
    line = deque(filled(admission))
    for _ in range(batches):
        clock.now_s += seconds
        for _ in range(8):
            line.popleft().leave(2 * seconds)
        while len(line) < 16 and (place := admission.try_enter(load())) is not None:
            line.append(place)
    while line:
        clock.now_s += seconds
        for _ in range(8):
            line.popleft().leave(2 * seconds)


def filled(admission: Admission, party: str = "") -> list[Place]:
    """Every place that there is."""
    return list(iter(lambda: admission.try_enter(load(), party), None))


@pytest.mark.parametrize(
    ("batch_s", "requests"), [(0.04, 100), (0.16, 50), (2.8, 16)], ids=["small", "larger", "full-size"]
)
async def test_a_quick_model_has_room_for_what_it_answers_in_a_second_and_its_queue_holds(
    batch_s: float, requests: int
) -> None:
    clock = Clock()
    admission = Admission(QUICK, clock=clock)
    await answer_in_batches(admission, clock, batch_s)
    assert len(filled(admission)) == pytest.approx(requests, rel=0.2)


async def test_a_model_that_answered_nothing_yet_has_two_batches() -> None:
    assert len(filled(Admission(QUICK))) == 16


async def test_what_fails_at_once_makes_no_model_quick() -> None:
    clock = Clock()
    admission = Admission(QUICK, clock=clock)
    for _ in range(100):
        for place in filled(admission):
            clock.now_s += 0.001
            place.leave(None)
    assert len(filled(admission)) == 16


async def test_time_without_work_makes_no_model_slow() -> None:
    clock = Clock()
    admission = Admission(QUICK, clock=clock)
    await answer_in_batches(admission, clock, 0.04)
    clock.now_s += 3600
    (place,) = [admission.try_enter(load())]
    assert place is not None
    clock.now_s += 0.005
    place.leave(0.005)
    assert len(filled(admission)) > 80


async def test_streams_leave_a_quarter_of_any_room_to_unary_calls() -> None:
    clock = Clock()
    admission = Admission(QUICK, clock=clock)
    await answer_in_batches(admission, clock, 0.04)
    streams = [asyncio.create_task(admission.enter(load())) for _ in range(120)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert sum(each.done() for each in streams) == 75
    for each in streams:
        each.cancel()


async def test_retry_advice_follows_how_long_requests_take() -> None:
    advice = []
    for seconds in (0.02, 4.0):
        clock = Clock()
        admission = Admission(SMALL, clock=clock)
        for _ in range(50):
            clock.now_s += seconds
            (await admission.enter(load())).leave(seconds)
        filled(admission)
        advice.append(admission.retry_after_ms)
    assert 50 <= advice[0] < 100
    assert 3000 < advice[1] <= 4000


async def test_those_who_are_turned_away_together_are_told_to_come_one_after_the_other() -> None:
    clock = Clock()
    admission = Admission(QUICK, clock=clock)
    await answer_in_batches(admission, clock, 0.8)  # ten a second
    filled(admission)
    told = [admission.retry_after_ms]
    for _ in range(20):
        assert admission.try_enter(load()) is None
        told.append(admission.retry_after_ms)
    steps = [later - sooner for sooner, later in pairwise(told)]
    assert steps == pytest.approx([400] * 20, abs=160)
    clock.now_s += 60
    assert admission.try_enter(load()) is None
    assert admission.retry_after_ms == pytest.approx(told[0], abs=100)  # nobody of them is waited for any more


def test_a_requests_load_counts_sentences_and_megapixels() -> None:
    assert Load.of_request(sentences=5, pixels=25_000_000, size=10) == Load(1, 1 + 5 + 3, 10)


@pytest.mark.parametrize(
    ("workers", "batch_size", "queue_size", "requests"), [(2, 8, 100, 32), (1, 1, 100, 8), (4, 32, 100, 100)]
)
def test_capacity_is_two_batches_per_worker_but_not_too_few_and_never_more_than_the_queue_holds(
    workers: int, batch_size: int, queue_size: int, requests: int
) -> None:
    assert Capacity.for_model(workers, batch_size, queue_size).total.requests == requests


def test_half_of_any_capacity_holds_the_heaviest_request() -> None:
    heaviest = Load.of_request(LIMITS.sentences, LIMITS.image_pixels, LIMITS.message_bytes)
    assert heaviest.within(Capacity.for_model(workers=1, batch_size=1, queue_size=100).total.half())


@pytest.mark.parametrize("unary", [load(), load(units=4), load(units=10), load(units=17), load(size=400)], ids=str)
@pytest.mark.parametrize("stream", [load(), load(units=10), load(size=500)], ids=str)
async def test_unary_calls_without_end_do_not_starve_a_stream(unary: Load, stream: Load) -> None:
    """As soon as one is done, as many others come as are let in."""
    admission = Admission(SMALL)
    places: list[Place] = []

    def flood() -> None:
        while (place := admission.try_enter(unary)) is not None:
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
    unary = [place for _ in range(8) if (place := admission.try_enter(load())) is not None]
    assert len(unary) == 8
    streams = [asyncio.create_task(admission.enter(load())) for _ in range(20)]
    await asyncio.sleep(0)
    for place in unary:
        place.leave(0.01)
        admission.try_enter(load())
    await asyncio.sleep(0)
    assert admission.load.requests == 8
    assert sum(each.done() for each in streams) == 6
    for each in streams:
        each.cancel()


async def test_without_streams_unary_calls_may_have_it_all() -> None:
    admission = Admission(SMALL)
    assert [admission.try_enter(load()) is not None for _ in range(5)] == [True, True, True, True, False]


async def test_a_caller_who_has_it_all_makes_room_for_another_who_was_turned_away() -> None:
    admission = Admission(SMALL)
    greedy = [admission.try_enter(load(), "greedy") for _ in range(4)]
    assert all(greedy)
    assert not admission.try_enter(load(), "modest")
    for place in greedy[:2]:
        assert place is not None
        place.leave(0.01)
    assert admission.try_enter(load(), "greedy")  # one of the two that came free
    assert not admission.try_enter(load(), "greedy")
    assert admission.try_enter(load(), "modest")


async def test_where_two_want_everything_each_gets_half() -> None:
    """Although one always asks before the other."""
    admission = Admission(SMALL)
    held: deque[tuple[str, Place]] = deque()
    served = Counter[str]()
    for _ in range(100):
        for party in ("first", "first", "second"):
            if place := admission.try_enter(load(), party):
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
