"""What is asked of the server for one image."""

import pytest

from harness.collect.plan import SharedImage, make_plan, shipments
from harness.perturbation.base import Unperturbed
from harness.perturbation.mirror import Mirror
from harness.perturbation.shuffle import ShuffleInReport
from harness.perturbation.swap import SwapLeftRight
from tests.harness_fakes import LEFT_LUNG, RIGHT_LUNG, png, record, sentence
from wronglung.limits import LIMITS

STUDY = record(
    4,
    sentence("a", "Opacity on the right.", RIGHT_LUNG),
    sentence("b", "Opacity on the left.", LEFT_LUNG),
    sentence("c", "Clear.", RIGHT_LUNG, LEFT_LUNG),
)


def requests(study, *perturbations, models=("m",)):
    return list(shipments(make_plan(7, study, perturbations), models))


def test_all_variants_of_an_image_travel_in_one_request_and_each_text_once():
    (request,) = requests(STUDY, Unperturbed(), SwapLeftRight())
    # the swap of "a" is the text of "b" and the other way round; "c" cannot be swapped
    assert request.sentences == ("Opacity on the right.", "Opacity on the left.", "Clear.")
    assert (request.index, request.image_id, request.model) == (7, "image4", "m")


def test_each_model_gets_a_request_of_its_own_with_its_own_id():
    pair = requests(STUDY, Unperturbed(), models=("m", "n"))
    assert [request.model for request in pair] == ["m", "n"]
    assert len({request.request_id for request in pair}) == 2


def test_perturbations_that_change_only_the_boxes_send_nothing():
    assert [r.sentences for r in requests(STUDY, Unperturbed(), ShuffleInReport(seed=0))] == [
        r.sentences for r in requests(STUDY, Unperturbed())
    ]


def test_a_changed_image_is_a_request_of_its_own():
    first, second = requests(STUDY, Unperturbed(), Mirror("mirror_image", swap_text=False))
    assert first.image_id == "image4"
    assert second.image_id != "image4"
    assert first.image() == png(4)
    assert second.image() != png(4)


def test_an_image_without_an_applicable_case_asks_nothing():
    assert requests(record(0, sentence("s", "Clear.", RIGHT_LUNG)), SwapLeftRight()) == []


def test_more_sentences_than_one_request_may_hold_are_split():
    many = record(0, *(sentence(f"s{i}", f"Sentence {i}.", RIGHT_LUNG) for i in range(LIMITS.sentences + 5)))
    sizes = [len(request.sentences) for request in requests(many, Unperturbed())]
    assert sizes == [LIMITS.sentences, 5]


def test_a_text_that_is_too_long_does_not_take_the_others_down_with_it():
    long = "x" * (LIMITS.sentence_characters + 1)
    study = record(0, sentence("a", "Fine.", RIGHT_LUNG), sentence("b", long, RIGHT_LUNG))
    assert [request.sentences for request in requests(study, Unperturbed())] == [("Fine.",), (long,)]


def test_an_image_is_loaded_once_for_all_its_requests_and_then_forgotten():
    loads = []
    image = SharedImage(lambda: loads.append(1) or b"bytes", uses=2)
    assert (image(), image()) == (b"bytes", b"bytes")
    assert len(loads) == 1
    assert image() == b"bytes"  # sent again
    assert len(loads) == 2


def test_the_digest_of_an_image_is_known_once_it_was_loaded():
    image = SharedImage(lambda: b"", uses=1)
    assert image.sha256 == ""
    image()
    assert image.sha256.startswith("e3b0c44298fc1c14")


@pytest.mark.parametrize("models", [("m",), ("m", "n")])
def test_request_ids_are_unique_over_images_and_chunks(models):
    many = record(0, *(sentence(f"s{i}", f"Sentence {i}.", RIGHT_LUNG) for i in range(LIMITS.sentences + 1)))
    ids = [s.request_id for index in range(12) for s in shipments(make_plan(index, many, [Unperturbed()]), models)]
    assert len(ids) == len(set(ids))
