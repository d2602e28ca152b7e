"""Several servers in one run: every answer comes once, from the right server, and a lost one ends the run."""

import threading
import time

import pytest

from harness.collect.exchange import Exchange, ServerLostError
from harness.collect.exchanges import Exchanges, exchange_with
from harness.collect.plan import make_plan, shipments
from harness.perturbation.base import Unperturbed
from tests.harness_fakes import FakeClient, align, fake_dataset
from wronglung.errors import InternalError, Overloaded

MODELS = ("a", "b", "c")


def requests(images):
    return [s for i, r in enumerate(fake_dataset(images)) for s in shipments(make_plan(i, r, [Unperturbed()]), MODELS)]


def two_servers(first=None, second=None, window=3, **served_as):
    """`a` and `c` on one server, `b` on another."""
    first, second = first or FakeClient(), second or FakeClient()
    names = dict.fromkeys(MODELS) | {model: model for model in MODELS} | served_as
    return exchange_with({"a": first, "b": second, "c": first}, window, names), first, second


def test_models_of_one_server_share_an_exchange_and_one_server_needs_no_threads():
    client = FakeClient()
    assert isinstance(exchange_with(dict.fromkeys(MODELS, client), 3, {}), Exchange)
    assert exchange_with({}, 3, {}) is None
    exchanges, _, _ = two_servers()
    assert isinstance(exchanges, Exchanges)
    assert len(exchanges.distinct) == 2


def test_every_request_is_answered_once_by_its_own_server():
    exchanges, first, second = two_servers()
    sent = requests(20)
    answers = dict(exchanges.run(iter(sent)))
    assert set(answers) == set(sent)
    assert {item.model for item in first.sent} == {"a", "c"}
    assert {item.model for item in second.sent} == {"b"}
    assert all(outcome.model.name == shipment.model for shipment, outcome in answers.items())


def test_a_model_is_asked_for_under_its_name_at_its_server():
    exchanges, _, second = two_servers(b="encoder")
    outcomes = {shipment.model: outcome for shipment, outcome in exchanges.run(iter(requests(2)))}
    assert {item.model for item in second.sent} == {"encoder"}
    assert outcomes["b"].model.name == "encoder"


def test_an_image_is_loaded_once_for_all_servers():
    loads = []
    exchanges, _, _ = two_servers()
    sent = requests(6)
    for image in {id(shipment.image): shipment.image for shipment in sent}.values():
        image.load = lambda own=image.load: loads.append(own) or own()
    list(exchanges.run(iter(sent)))
    assert len(loads) == 6


def test_a_fast_server_does_not_run_away_from_a_slow_one():
    """What waits for the slow one is bounded by its window, and so is the memory that it takes."""
    read = 0
    gate = threading.Event()

    class Slow(FakeClient):
        def stream(self, items, *, window=16):
            gate.wait(20)
            yield from super().stream(items, window=window)

    def source():
        nonlocal read
        for shipment in requests(60):
            read += 1
            yield shipment

    exchanges, _, _ = two_servers(second=Slow())
    answers = exchanges.run(source())
    next(answers)
    before = -1
    while read != before:
        before = read
        time.sleep(0.3)
    assert read <= 3 * (3 + 1) + 3
    gate.set()
    assert len(list(answers)) + 1 == 180


def test_retries_of_all_servers_are_counted():
    failing = {"a": 1, "b": 2}

    def answer(item):
        if failing.get(item.model, 0):
            failing[item.model] -= 1
            return Overloaded("full", retry_after_ms=1)
        return align(item)

    exchanges, _, _ = two_servers(FakeClient(answer), FakeClient(answer))
    assert len(list(exchanges.run(iter(requests(5))))) == 15
    assert exchanges.retries == 3


def test_a_lost_server_ends_the_run_and_its_threads():
    def lost(item):
        return InternalError("gone")

    exchanges, _, second = two_servers(FakeClient(), FakeClient(lost))
    for exchange in exchanges.distinct:
        exchange.sleep = lambda seconds: None
    before = threading.active_count()
    with pytest.raises(ServerLostError, match="in a row failed"):
        list(exchanges.run(iter(requests(100))))
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert threading.active_count() <= before
    assert len(second.sent) < 100


def test_a_fault_of_the_data_set_reaches_the_caller():
    def source():
        yield requests(1)[0]
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        list(two_servers()[0].run(source()))


def test_the_one_who_takes_no_more_stops_everything():
    exchanges, first, _ = two_servers()
    before = threading.active_count()
    answers = exchanges.run(iter(requests(100)))
    next(answers)
    answers.close()
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert threading.active_count() <= before
    assert len(first.sent) < 200
