"""The exchange: every request answered once, retried where that can help, and an end when the server is gone."""

from collections import Counter

import pytest

from harness.collect.exchange import IMAGE_UNREADABLE, Exchange, Failure, ServerLostError
from harness.collect.patience import ATTEMPTS, PATIENCE_S
from harness.collect.plan import SharedImage, Shipment
from tests.harness_fakes import FakeClient, align, png
from wronglung.alignment import Alignment
from wronglung.errors import ImageCorrupt, InternalError, ModelUnavailable, Overloaded


def shipment(i, load=png):
    return Shipment(f"r{i}", i, f"image{i}", "m", (f"Sentence {i}.",), (8, 8), SharedImage(load, uses=1))


def failing(times, error):
    """A client whose every request fails `times` times before it succeeds."""
    seen = Counter()

    def answer(item):
        seen[item.request_id] += 1
        return error if seen[item.request_id] <= times else align(item)

    return FakeClient(answer)


def run(client, count=5, window=2):
    """Time passes only while the exchange waits."""
    waits = []
    exchange = Exchange(client, window, sleep=waits.append, clock=lambda: sum(waits))
    outcomes = {s.request_id: outcome for s, outcome in exchange.run(shipment(i) for i in range(count))}
    return exchange, outcomes, waits


def test_every_request_is_answered_once_whatever_the_order():
    _, outcomes, waits = run(FakeClient(), count=7, window=3)
    assert sorted(outcomes) == [f"r{i}" for i in range(7)]
    assert all(isinstance(outcome, Alignment) for outcome in outcomes.values())
    assert not waits


@pytest.mark.parametrize("count", [1, 5])
def test_what_may_succeed_later_is_sent_again(count):
    exchange, outcomes, waits = run(failing(2, ModelUnavailable("starting")), count=count)
    assert all(isinstance(outcome, Alignment) for outcome in outcomes.values())
    assert len(outcomes) == count
    assert exchange.retries == 2 * count == len(waits)


def test_what_fails_while_others_are_answered_has_failed_after_enough_attempts():
    seen = Counter()

    def answer(item):
        seen[item.request_id] += 1
        return ModelUnavailable("worker died") if item.request_id == "r1" else align(item)

    _, outcomes, waits = run(FakeClient(answer), count=20)
    assert outcomes.pop("r1") == Failure("MODEL_UNAVAILABLE", "worker died")
    assert all(isinstance(outcome, Alignment) for outcome in outcomes.values())
    assert seen["r1"] == ATTEMPTS
    assert sum(waits) < PATIENCE_S


def test_what_fails_alone_has_failed_when_patience_is_over():
    client = failing(99, ModelUnavailable("never"))
    _, outcomes, waits = run(client, count=1)
    assert outcomes["r0"] == Failure("MODEL_UNAVAILABLE", "never")
    assert PATIENCE_S <= sum(waits) < 2 * PATIENCE_S


@pytest.mark.parametrize("window", [1, 2, 16])
def test_a_server_that_comes_back_in_time_costs_nothing_but_time(window):
    """Whatever was in flight: no request is blamed for it."""
    waits, down = [], 40.0
    client = FakeClient(lambda item: align(item) if sum(waits) > down else ModelUnavailable("starting"))
    exchange = Exchange(client, window, sleep=waits.append, clock=lambda: sum(waits))
    outcomes = [outcome for _, outcome in exchange.run(shipment(i) for i in range(20))]
    assert all(isinstance(outcome, Alignment) for outcome in outcomes)


@pytest.mark.parametrize("window", [2, 16])
def test_a_server_that_does_not_come_back_ends_the_run_and_blames_no_request(window):
    waits, taken = [], []
    exchange = Exchange(failing(999, ModelUnavailable("gone")), window, sleep=waits.append, clock=lambda: sum(waits))
    with pytest.raises(ServerLostError, match="--resume"):
        taken.extend(exchange.run(shipment(i) for i in range(50)))
    assert not taken
    assert PATIENCE_S <= sum(waits) < 400


def test_the_wait_doubles_and_heeds_the_servers_advice():
    _, _, waits = run(failing(3, ModelUnavailable("starting")), count=1)
    assert waits == [0.25, 0.5, 1.0]
    _, _, waits = run(failing(1, Overloaded("full", retry_after_ms=3000)), count=1)
    assert waits == [3.0]


def test_what_cannot_succeed_is_not_sent_again():
    client = FakeClient(lambda item: ImageCorrupt("cut off", field="image"))
    exchange, outcomes, _ = run(client, count=30, window=2)
    assert set(outcomes.values()) == {Failure("IMAGE_CORRUPT", "image: cut off")}
    assert len(client.sent) == 30
    assert exchange.retries == 0


def test_failures_of_the_server_in_a_row_end_the_run():
    with pytest.raises(ServerLostError, match="--resume"):
        run(FakeClient(lambda item: InternalError("defect 17")), count=30, window=2)


def test_failures_now_and_then_do_not():
    def answer(item):
        return align(item) if int(item.request_id[1:]) % 3 == 0 else InternalError("defect")

    _, outcomes, _ = run(FakeClient(answer), count=60, window=2)
    assert sum(isinstance(outcome, Failure) for outcome in outcomes.values()) == 40


def test_a_broken_stream_ends_the_run():
    class Broken(FakeClient):
        def stream(self, items, *, window=16):
            yield from ()
            raise ModelUnavailable("connection reset")

    with pytest.raises(ServerLostError, match=r"connection reset.*--resume"):
        run(Broken())


def test_a_stream_that_ends_early_ends_the_run():
    class Forgetful(FakeClient):
        def stream(self, items, *, window=16):
            next(iter(items))
            yield from ()

    with pytest.raises(ServerLostError, match="1 requests unanswered"):
        run(Forgetful())


@pytest.mark.parametrize("error", [FileNotFoundError(2, "No such file", "a.png"), ImageCorrupt("cannot be mirrored")])
def test_an_image_that_cannot_be_loaded_fails_alone(error):
    def load():
        raise error

    exchange = Exchange(FakeClient(), window=2)
    outcomes = {s.request_id: o for s, o in exchange.run([shipment(0), shipment(1, load), shipment(2)])}
    assert isinstance(outcomes["r1"], Failure)
    assert outcomes["r1"].code == IMAGE_UNREADABLE
    assert isinstance(outcomes["r2"], Alignment)


def test_even_when_no_image_can_be_loaded_all_are_told():
    def load():
        raise FileNotFoundError(2, "No such file", "a.png")

    assert len(list(Exchange(FakeClient(), window=2).run([shipment(0, load), shipment(1, load)]))) == 2
