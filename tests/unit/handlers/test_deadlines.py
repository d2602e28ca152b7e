"""What the handler does not do for those who have stopped waiting."""

import time
from typing import Any

import pytest

from handlers.alignment_handler import AlignmentHandler
from tests.handler_fakes import code, entry, handle, with_fake_model
from wronglung.envelope import REQUEST_ENTRY


@pytest.fixture(params=[True, False], ids=["deterministic", "throughput"])
def handler(request: pytest.FixtureRequest) -> AlignmentHandler:
    return with_fake_model(deterministic=request.param)


def test_the_image_of_a_request_whose_deadline_has_passed_is_not_decoded(
    handler: AlignmentHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode, decoded = handler.decode, list[bytes]()

    def noted(body: bytes) -> Any:
        decoded.append(body)
        return decode(body)

    monkeypatch.setattr(handler, "decode", noted)
    late = entry("late", deadline=time.monotonic() - 1)
    answers = handle(handler, late, entry("in time", deadline=time.monotonic() + 60))
    assert [code(each) for each in answers] == ["DEADLINE_EXCEEDED", "OK"]
    assert late[REQUEST_ENTRY] not in decoded
    assert len(decoded) == 1
    assert handler.model.calls == [1]  # type: ignore[attr-defined]


@pytest.mark.parametrize("beside", [[], [entry("in time")] * 3], ids=["alone", "in a batch"])
def test_nothing_is_computed_for_a_request_whose_deadline_passes_while_its_image_is_decoded(
    handler: AlignmentHandler, monkeypatch: pytest.MonkeyPatch, beside: list[dict[str, bytearray]]
) -> None:
    decode, deadline = handler.decode, time.monotonic() + 0.5

    def slowly(body: bytes) -> Any:
        decoded = decode(body)
        while decoded[0].request_id == "late" and time.monotonic() <= deadline:
            time.sleep(0.01)
        return decoded

    monkeypatch.setattr(handler, "decode", slowly)
    answers = handle(handler, entry("late", deadline=deadline), *beside)
    assert [code(each) for each in answers] == ["DEADLINE_EXCEEDED", *["OK"] * len(beside)]
    one_by_one = [1] * len(beside)
    together = [len(beside)] * bool(beside)
    assert handler.model.calls == (one_by_one if handler.model.deterministic else together)  # type: ignore[attr-defined]
