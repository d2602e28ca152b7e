"""Served models and maps from files in one run."""

import dataclasses
import hashlib

import pytest

from harness.collect.exchange import Exchange, Failure
from harness.collect.gather import Collector, rows_of
from harness.collect.plan import make_plan
from harness.collect.routes import Routes
from harness.perturbation.base import Unperturbed
from tests.harness_fakes import FakeClient, record


class Nothing:
    """A source without a single map that remembers what it was asked, and how much waits with it."""

    def __init__(self):
        self.asked = []

    def answer(self, shipment):
        self.asked.append(shipment.request_id)
        return tuple(Failure("NO_MAP", text) for text in shipment.sentences)


def collect(models, exchange, sources, images=40):
    plans = (make_plan(i, record(i), (Unperturbed(),)) for i in range(images))
    return list(Collector(Routes(exchange, sources), models).run(plans))


@pytest.mark.parametrize("models", [("served", "files"), ("files", "served"), ("files", "served", "more")])
def test_each_request_goes_where_its_model_is(models):
    files, client = Nothing(), FakeClient()
    images = collect(models, Exchange(client, 4), {name: files for name in models if name != "served"})
    assert sorted(image.plan.index for image in images) == list(range(40))
    assert {item.model for item in client.sent} == {"served"}
    for row in rows_of(images, models):
        assert row.status == ("ok" if row.model == "served" else "failed")


def test_without_a_server_nothing_is_asked_ahead():
    files = Nothing()
    plans = (make_plan(i, record(i), (Unperturbed(),)) for i in range(100))
    first = next(Collector(Routes(None, {"files": files}), ("files",)).run(plans))
    assert first.plan.index == 0
    assert len(files.asked) == 1


def test_rows_of_files_are_known_by_the_digest_of_their_image():
    (image,) = collect(("files",), None, {"files": Nothing()}, images=1)
    assert image.sha256(image.plan.cases[0]) == hashlib.sha256(record(0).load()).hexdigest()


def test_an_image_that_cannot_be_read_has_no_digest_and_is_answered_all_the_same():
    def gone():
        raise FileNotFoundError("gone")

    plan = make_plan(0, dataclasses.replace(record(0), load=gone), (Unperturbed(),))
    (image,) = Collector(Routes(None, {"files": Nothing()}), ("files",)).run([plan])
    assert image.sha256(plan.cases[0]) == ""
    assert image.answer(plan.cases[0], "files").code == "NO_MAP"


def test_bytes_are_forgotten_when_the_last_served_request_has_them():
    images = collect(("files", "served"), Exchange(FakeClient(), 4), {"files": Nothing()}, images=3)
    assert all(shared._data is None for image in images for shared in image.images.values())
