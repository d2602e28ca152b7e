"""What holds for every perturbation: what it costs, and what it depends on."""

import random
from collections import Counter

import pytest

from harness.collect.plan import make_plan, shipments
from harness.dataset.phantom import PhantomDataset
from harness.perturbation.catalogue import BUILTIN, make_perturbations
from harness.subsets import make_subsets

NAMES = [declared.name for declared in BUILTIN]
RECORDS = tuple(PhantomDataset(seed=11, patients=12))
COST_NOTHING = {"none", "shuffle_in_report", "random_bboxes"}


def sent(*names):
    """How often each text is sent with each image, to one model."""
    perturbations = make_perturbations(names, RECORDS, seed=0)
    requests = (r for i, record in enumerate(RECORDS) for r in shipments(make_plan(i, record, perturbations), ["m"]))
    return Counter((request.image_id, text) for request in requests for text in request.sentences)


def cases(name, records, seed=0):
    (perturbation,) = make_perturbations([name], RECORDS, seed)
    return {case.sentence.sentence_id: case for record in records for case in perturbation.cases(record)}


def test_no_text_is_sent_twice_with_one_image():
    assert set(sent(*NAMES).values()) == {1}


@pytest.mark.parametrize("name", NAMES)
def test_what_leaves_the_models_input_as_it_is_costs_nothing_and_the_rest_each_new_text_once(name):
    unperturbed = sent("none")
    new = sent("none", name) - unperturbed
    asked = {(c.image.image_id, c.text) for c in cases(name, RECORDS).values() if c.applicable}
    assert set(new) == asked - set(unperturbed)
    assert (not new) == (name in COST_NOTHING)


@pytest.mark.parametrize("name", NAMES)
def test_a_case_depends_on_the_sentence_and_the_seed_alone(name):
    """Not on the order of the data set, nor on which part of it is asked for."""
    every = cases(name, RECORDS)
    shuffled = list(RECORDS)
    random.Random(1).shuffle(shuffled)
    for i, case in cases(name, shuffled[:5]).items():
        known = every[i]
        assert (case.text, case.boxes, case.reason, case.donor_id) == (
            *(known.text, known.boxes, known.reason, known.donor_id),
        )


@pytest.mark.parametrize("name", NAMES)
def test_every_sentence_has_one_case_in_the_order_of_the_report_and_keeps_its_subsets(name):
    (perturbation,) = make_perturbations([name], RECORDS, 0)
    subsets = make_subsets([], RECORDS, ["side"])
    for record in RECORDS:
        made = perturbation.cases(record)
        assert [case.sentence for case in made] == list(record.sentences)
        assert all(case.perturbation == name and bool(case.reason) != case.applicable for case in made)
        for case in made:
            assert sum(member(record, case.sentence) for member in subsets.values()) == 1


@pytest.mark.parametrize("name", NAMES)
def test_something_applies_on_the_phantom(name):
    assert any(case.applicable for case in cases(name, RECORDS).values())
