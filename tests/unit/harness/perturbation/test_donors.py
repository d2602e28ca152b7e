"""random_sentences and random_bboxes borrow from other patients, by the sentence's id alone."""

import dataclasses
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.case import Box, Sentence
from harness.mask import encode
from harness.metrics.label import exact_boxes
from harness.perturbation.catalogue import make_perturbations
from harness.perturbation.donors import DonorPool, carry_boxes, random_boxes, random_sentences
from tests.harness_fakes import HEIGHT, WIDTH, FakeDataset, fake_dataset, record
from wronglung.geometry import letterbox


def cases_by_id(perturbation, records):
    return {case.sentence.sentence_id: case for each in records for case in perturbation.cases(each)}


def test_the_text_comes_from_another_patient_and_the_boxes_stay():
    records = fake_dataset(12).records
    owner = {s.sentence_id: (r.patient_id, s) for r in records for s in r.sentences}
    for case in cases_by_id(random_sentences(DonorPool.of(records), seed=0), records).values():
        donor_patient, donor = owner[case.donor_id]
        assert donor_patient != case.image.patient_id
        assert case.text == donor.text
        assert case.boxes == case.sentence.boxes


@pytest.mark.parametrize("kind", [random_sentences, random_boxes])
def test_the_order_of_the_records_changes_nothing(kind):
    records = list(fake_dataset(12).records)
    shuffled = records.copy()
    random.Random(1).shuffle(shuffled)
    ordered = cases_by_id(kind(DonorPool.of(records), seed=3), records)
    assert ordered == cases_by_id(kind(DonorPool.of(shuffled), seed=3), shuffled)


def test_another_seed_draws_other_donors():
    records = fake_dataset(12).records
    pool = DonorPool.of(records)
    first, second = (cases_by_id(random_sentences(pool, seed), records) for seed in (0, 1))
    assert {k: c.donor_id for k, c in first.items()} != {k: c.donor_id for k, c in second.items()}


@pytest.mark.parametrize("kind", [random_sentences, random_boxes])
def test_with_one_patient_there_is_nobody_to_borrow_from(kind):
    records = [record(0, patient="p"), record(1, patient="p")]
    assert not any(case.applicable for case in cases_by_id(kind(DonorPool.of(records), 0), records).values())


def test_a_rare_stranger_is_still_found():
    records = [*(record(i, patient="p") for i in range(60)), record(60, patient="q")]
    cases = cases_by_id(random_sentences(DonorPool.of(records), 0), records[:60])
    assert all(case.donor_id.startswith("s60-") for case in cases.values())


def test_random_boxes_send_nothing_and_keep_the_text():
    records = fake_dataset(6).records
    for case in cases_by_id(random_boxes(DonorPool.of(records), 0), records).values():
        assert (case.sends, case.text) == ("nothing", case.sentence.text)


def test_a_sentence_without_boxes_lends_none():
    """Held against nothing, the sentence would have no value, and its pair would be lost."""
    bare = [record(i, Sentence(f"bare{i}", "Follow-up.", ())) for i in range(4, 40)]
    records = [*fake_dataset(4).records, *bare]
    cases = cases_by_id(random_boxes(DonorPool.of(records), 0), records)
    assert all(case.boxes and not case.donor_id.startswith("bare") for case in cases.values())
    only_bare = cases_by_id(random_boxes(DonorPool.of(bare), 0), bare)
    assert {case.reason for case in only_bare.values()} == {"no other patient to borrow from"}


def test_boxes_are_carried_to_their_place_in_the_models_frame():
    donor_size, size = (1000, 500), (640, 800)
    (carried,) = carry_boxes([Box("right lung", 100, 50, 400, 450)], donor_size, size)
    place = letterbox(*donor_size).to_frame((100, 50, 400, 450))
    assert letterbox(*size).to_frame(carried.xyxy) == pytest.approx(place)
    assert carried.name == "right lung"


def test_a_mask_is_carried_with_its_box():
    mask = encode(np.eye(3, dtype=bool))
    (carried,) = carry_boxes([Box("nodule", 100, 50, 400, 450, mask)], (1000, 500), (640, 800))
    assert carried.mask == mask


sizes = st.tuples(st.integers(40, 3000), st.integers(40, 3000))


@given(sizes, sizes, st.tuples(st.floats(0, 0.9), st.floats(0, 0.9), st.floats(0.05, 1), st.floats(0.05, 1)))
def test_a_carried_box_covers_the_same_of_the_frame_whatever_the_sizes(donor_size, size, place):
    """What of it is inside the image is the same label for the metrics as in the donor's image."""
    (width, height), (x, y, w, h) = donor_size, place
    box = Box("spine", x * width, y * height, (x + (1 - x) * w) * width, (y + (1 - y) * h) * height)
    (carried,) = carry_boxes([box], donor_size, size)
    before, after = exact_boxes([box], letterbox(*donor_size)), exact_boxes([carried], letterbox(*size))
    assert after[0] == pytest.approx(before[0], abs=1e-9)


def test_boxes_of_an_image_of_the_same_size_stay_where_they_are():
    box = Box("right lung", 10, 20, 30, 40)
    (carried,) = carry_boxes([box], (WIDTH, HEIGHT), (WIDTH, HEIGHT))
    assert carried.xyxy == pytest.approx(box.xyxy)


def test_borrowing_perturbations_share_one_pass_over_the_records():
    passes = []

    class Counting(FakeDataset):
        def __iter__(self):
            passes.append(1)
            return super().__iter__()

    dataset = Counting([dataclasses.replace(r) for r in fake_dataset(4)])
    make_perturbations(["none", "random_sentences", "random_bboxes"], dataset, seed=0)
    assert len(passes) == 1
    make_perturbations(["none", "swap_left_right"], dataset, seed=0)
    assert len(passes) == 1


def test_an_unknown_perturbation_is_named():
    with pytest.raises(ValueError, match="unknown perturbation 'swop'"):
        make_perturbations(["swop"], fake_dataset(2), seed=0)
