"""What of a batch is decoded and computed together, and what becomes of the rest when one of it fails."""

import threading
import time
from typing import Any

import numpy as np
import pytest

from tests.handler_fakes import code, entry, handle, png, with_fake_model
from wronglung.alignment import Alignment


def test_deterministic_computes_one_by_one_and_throughput_together() -> None:
    for deterministic, calls in ((True, [1, 1, 1]), (False, [3])):
        handler = with_fake_model(deterministic=deterministic)
        handle(handler, entry("a"), entry("b"), entry("c"))
        assert handler.model.calls == calls  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("fault", "answered"),
    [
        ({"image": png()[:40]}, "IMAGE_CORRUPT"),
        ({"deadline": time.monotonic() - 1}, "DEADLINE_EXCEEDED"),
    ],
    ids=["image", "deadline"],
)
@pytest.mark.parametrize("faulty", [1, 3, 8])
def test_what_is_bad_or_late_is_left_out_and_the_rest_of_a_batch_computed_together(
    fault: dict[str, Any], answered: str, faulty: int
) -> None:
    handler = with_fake_model(deterministic=False)
    answers = handle(
        handler,
        *(entry(f"{n}", **(fault if n < faulty else {"image": png(10 * n)})) for n in range(8)),
    )
    assert [code(each) for each in answers] == [answered] * faulty + ["OK"] * (8 - faulty)
    assert [each.request_id for each in answers] == [f"{n}" for n in range(8)]
    values = [np.frombuffer(each.response.results[0].alignment.map.values, "<f4")[0] for each in answers[faulty:]]
    assert values == pytest.approx([n / 100 for n in range(faulty, 8)])
    assert handler.model.calls == [8 - faulty] * (faulty < 8)  # type: ignore[attr-defined]


def test_only_what_fails_together_is_computed_one_by_one() -> None:
    handler = with_fake_model(deterministic=False)
    bad, unlucky = entry("bad", image=png()[:40]), entry("unlucky", sentences=["crash"])
    answers = handle(handler, entry("a"), bad, unlucky, entry("c"))
    assert [code(each) for each in answers] == ["OK", "IMAGE_CORRUPT", "INTERNAL", "OK"]
    assert handler.model.calls == [3, 1, 1, 1]  # type: ignore[attr-defined]


def test_the_next_image_is_decoded_while_one_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    handler, second_is_decoded = with_fake_model(deterministic=True), threading.Event()
    decode, align = handler.decode, handler.model.align
    waited: list[bool] = []

    def noticed(body: bytes) -> Any:
        decoded = decode(body)
        if decoded[0].request_id == "b":
            second_is_decoded.set()
        return decoded

    def computed(images: Any, sentences: Any, word_maps: bool = False) -> list[Alignment]:
        waited.append(second_is_decoded.wait(10))
        return align(images, sentences, word_maps)

    monkeypatch.setattr(handler, "decode", noticed)
    monkeypatch.setattr(handler.model, "align", computed)
    assert [code(each) for each in handle(handler, entry("a"), entry("b"))] == ["OK", "OK"]
    assert waited == [True, True]


@pytest.mark.parametrize("fault", [{"sentences": ["crash"]}, {"image": b"looks damaged"}], ids=["engine", "image"])
def test_when_a_batch_fails_every_image_has_been_decoded_once_and_none_is_under_way(
    monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
) -> None:
    handler = with_fake_model(deterministic=False)
    decode, begun, ended = handler.decode, [], []  # type: ignore[var-annotated]

    def slowly(body: bytes) -> Any:
        begun.append(body)
        try:
            time.sleep(0.05 if b"fault" not in body else 0)
            return decode(body)
        finally:
            ended.append(body)

    monkeypatch.setattr(handler, "decode", slowly)
    answers = handle(handler, entry("fault", **fault), *(entry(f"good {number}") for number in range(6)))
    assert [code(each) for each in answers[1:]] == ["OK"] * 6
    assert code(answers[0]) != "OK"
    assert len(begun) == len(ended) == 7
