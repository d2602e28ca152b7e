"""What counts as an answer."""

import dataclasses

import numpy as np
import pytest

from benchmarks.faults import ledger as module
from benchmarks.faults.cases import Case
from benchmarks.faults.ledger import RIGHT, UNANSWERED, WRONG, Ledger
from tests.harness_fakes import align
from wronglung.alignment import Alignment
from wronglung.client import AlignItem
from wronglung.errors import DeadlineExceeded, InternalError, ModelUnavailable, Overloaded

ITEM = AlignItem("a", b"image", ["The left lung is clear."], "encoder")
EXPECTED = align(ITEM)
CASE = Case("encoder", ITEM.image, tuple(ITEM.sentences), EXPECTED)


def off_by_one_bit(answer: Alignment) -> Alignment:
    maps = answer.maps.copy()
    maps.view(np.uint32)[0, 0, 0] ^= 1
    return dataclasses.replace(answer, maps=maps)


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        (EXPECTED, RIGHT),
        (off_by_one_bit(EXPECTED), WRONG),
        (dataclasses.replace(EXPECTED, model=dataclasses.replace(EXPECTED.model, weights_digest="0" * 64)), WRONG),
        (dataclasses.replace(EXPECTED, words=(("other",),)), WRONG),
        (Overloaded("full"), "OVERLOADED"),
        (ModelUnavailable("away"), "MODEL_UNAVAILABLE"),
        (InternalError("a defect"), "INTERNAL"),
        (DeadlineExceeded("too late"), UNANSWERED),
        (ValueError("not of our tree"), UNANSWERED),
    ],
)
def test_an_answer_is_right_to_the_bit_and_an_error_is_typed_or_it_is_none(
    result: Alignment | Exception, outcome: str
) -> None:
    ledger = Ledger()
    ledger.end(ledger.begin(), CASE, result)
    assert ledger.take() == {outcome: 1}


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> Ledger:
    monkeypatch.setattr(module, "DEADLINE_S", -1.0)
    monkeypatch.setattr(module, "_GRACE_S", 0.0)
    return Ledger()


def test_a_call_that_never_ends_is_unanswered_once(hurried: Ledger) -> None:
    number = hurried.begin()
    assert hurried.take() == {UNANSWERED: 1}
    hurried.end(number, CASE, EXPECTED)
    assert hurried.take() == {}


def test_an_answer_after_the_deadline_is_none(hurried: Ledger) -> None:
    hurried.end(hurried.begin(), CASE, EXPECTED)
    assert hurried.take() == {UNANSWERED: 1}


def test_a_call_that_is_under_way_is_not_judged_yet() -> None:
    ledger = Ledger()
    ledger.begin()
    assert ledger.take() == {}


def test_a_call_that_is_under_way_when_nobody_calls_any_more_is_unanswered() -> None:
    ledger = Ledger()
    ledger.end(ledger.begin(), CASE, EXPECTED)
    ledger.begin()
    assert ledger.close() == {RIGHT: 1, UNANSWERED: 1}
    assert ledger.close() == {}
