"""Whatever becomes of a caller, its calls are judged, and its death is told."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from benchmarks.faults import load as module
from benchmarks.faults.cases import Case
from benchmarks.faults.ledger import RIGHT, UNANSWERED, Ledger
from benchmarks.faults.load import Load
from tests.harness_fakes import align
from wronglung.client import AlignItem
from wronglung.errors import ModelUnavailable

ITEM = AlignItem("a", b"image", ["The left lung is clear."], "encoder")
CASE = Case("encoder", ITEM.image, tuple(ITEM.sentences), align(ITEM))

Stream = Callable[[Iterator[AlignItem]], Iterator[tuple[str, Any]]]


def outcomes(monkeypatch: pytest.MonkeyPatch, *streams: Stream) -> tuple[Counter[str], list[str]]:
    """What becomes of one stream after the other, and which callers died. A stream after the last ends the load."""
    over, coming = threading.Event(), iter(streams)

    class Client:
        def __init__(self, *_: Any, **__: Any) -> None: ...
        def __enter__(self) -> "Client":
            return self

        def __exit__(self, *_: object) -> None: ...
        def stream(self, items: Iterator[AlignItem], window: int) -> Iterator[tuple[str, Any]]:
            if stream := next(coming, None):
                return stream(items)
            over.set()
            return iter(())

    monkeypatch.setattr(module, "AlignmentClient", Client)
    monkeypatch.setattr(module, "_PAUSE_S", (0.0, 0.001))
    ledger = Ledger()
    with Load([CASE], ledger, [], "nowhere:1", 0) as load:
        (stream,) = load._threads
        while not over.wait(0.01) and stream.is_alive():
            pass
    return ledger.close(), load.dead


def answers_one(items: Iterator[AlignItem]) -> Iterator[tuple[str, Any]]:
    yield next(items).request_id, CASE.expected


def fails(error: Exception, taken: int) -> Stream:
    """A stream that takes so many items and then ends by an error."""

    def stream(items: Iterator[AlignItem]) -> Iterator[tuple[str, Any]]:
        for _ in range(taken):
            next(items)
        raise error
        yield

    return stream


def test_a_stream_that_ends_by_a_typed_error_gives_it_to_each_open_item_and_is_followed_by_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls, dead = outcomes(monkeypatch, fails(ModelUnavailable("away"), 2), answers_one)
    assert calls == {"MODEL_UNAVAILABLE": 2, RIGHT: 1}
    assert dead == []


def test_an_exception_that_is_not_ours_leaves_open_items_unanswered_and_the_caller_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls, dead = outcomes(monkeypatch, fails(RuntimeError("a defect"), 2), answers_one)
    assert calls == {UNANSWERED: 2, RIGHT: 1}
    assert dead == []


def test_an_item_that_is_read_after_its_stream_has_failed_is_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Iterator[AlignItem]] = []

    def keeps(items: Iterator[AlignItem]) -> Iterator[tuple[str, Any]]:
        kept.append(items)
        raise ModelUnavailable("away")
        yield

    def reads_the_other(items: Iterator[AlignItem]) -> Iterator[tuple[str, Any]]:
        assert list(kept[0]) == []
        return answers_one(items)

    assert outcomes(monkeypatch, keeps, reads_the_other) == ({RIGHT: 1}, [])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_exception_that_no_item_can_be_judged_by_ends_the_caller_and_that_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls, dead = outcomes(monkeypatch, fails(RuntimeError("a defect"), 0))
    assert calls == {}
    assert dead == ["caller 0 (stream) of nowhere:1"]
