"""Answers find their way back to the cases that asked."""

import numpy as np

from harness.collect.exchange import Exchange, Failure
from harness.collect.gather import Collector, Reading, rows_of
from harness.collect.plan import make_plan
from harness.perturbation.base import Unperturbed
from harness.perturbation.mirror import Mirror
from harness.perturbation.swap import SwapLeftRight
from tests.harness_fakes import RIGHT_LUNG, FakeClient, align, fake_map, png, record, sentence
from wronglung.errors import InternalError

PERTURBATIONS = (Unperturbed(), SwapLeftRight(), Mirror("mirror_image", swap_text=False))


def collect(client, records, models=("m", "n"), window=3):
    plans = (make_plan(i, each, PERTURBATIONS) for i, each in enumerate(records))
    return sorted(Collector(Exchange(client, window), models).run(plans), key=lambda image: image.plan.index)


def test_every_case_gets_the_map_of_its_model_image_and_text():
    images = collect(FakeClient(), [record(i) for i in range(6)])
    assert [image.plan.index for image in images] == list(range(6))
    for row in rows_of(images, ("m", "n")):
        if row.case.applicable:
            np.testing.assert_array_equal(row.outcome.map, fake_map(row.model, row.case.image.load(), row.case.text))


def test_rows_come_model_by_model_and_perturbation_by_perturbation():
    (image,) = collect(FakeClient(), [record(0)])
    keys = [(row.model, row.case.perturbation, row.case.sentence.sentence_id) for row in rows_of([image], ("m", "n"))]
    assert len(keys) == 2 * 3 * 3
    assert keys[:4] == [
        ("m", "none", "s0-0"),
        ("m", "none", "s0-1"),
        ("m", "none", "s0-2"),
        ("m", "swap_left_right", "s0-0"),
    ]
    assert keys[9][0] == "n"


def test_a_sentence_that_fails_alone_is_a_failed_row():
    study = record(0, sentence("bad", "Empty.", RIGHT_LUNG), sentence("good", "Opacity.", RIGHT_LUNG))
    rows = rows_of(collect(FakeClient(), [study], models=("m",)), ("m",))
    assert [row.status for row in rows[:2]] == ["failed", "ok"]
    assert rows[0].outcome == Failure("SENTENCE_EMPTY", "nothing is left of it")


def test_a_request_that_fails_fails_every_case_of_it_and_no_other():
    def answer(item):
        return InternalError("defect") if item.model == "n" else align(item)

    rows = rows_of(collect(FakeClient(answer), [record(0)]), ("m", "n"))
    assert {row.status for row in rows if row.model == "n" and row.case.applicable} == {"failed"}
    assert {row.status for row in rows if row.model == "m" and row.case.applicable} == {"ok"}


def test_a_case_that_does_not_apply_is_a_row_that_was_never_sent():
    client = FakeClient()
    rows = rows_of(collect(client, [record(0, sentence("s", "Clear.", RIGHT_LUNG))], models=("m",)), ("m",))
    assert [row.status for row in rows] == ["ok", "not_applicable", "ok"]
    assert all(item.sentences == ("Clear.",) for item in client.sent)


def test_the_digest_of_the_sent_image_is_kept():
    (image,) = collect(FakeClient(), [record(0)])
    own, mirrored = image.plan.cases[0], image.plan.cases[-1]
    assert image.sha256(own) != image.sha256(mirrored) != ""


def test_memory_does_not_grow_with_the_data_set():
    drawn = 0

    def plans():
        nonlocal drawn
        for i in range(200):
            drawn += 1
            yield make_plan(i, record(i), (Unperturbed(),))

    client = FakeClient()
    images = Collector(Exchange(client, window=4), ("m",)).run(plans())
    assert max(drawn - done for done, _ in enumerate(images)) <= 4
    assert drawn == 200


def test_readings_are_copies_that_do_not_hold_the_whole_answer():
    (image,) = collect(FakeClient(), [record(0)], models=("m",))
    readings = [answer for answer in image.answers.values() if isinstance(answer, Reading)]
    assert all(reading.map.base is None for reading in readings)
    assert image.images["image0"].sha256
    assert image.plan.record.load() == png(0)
