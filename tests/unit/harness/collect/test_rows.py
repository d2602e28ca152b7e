"""One row for each model × perturbation × sentence, with every number of it."""

import dataclasses

import numpy as np
import pytest

from harness.case import Box
from harness.collect.exchange import Exchange
from harness.collect.gather import Collector, rows_of
from harness.collect.plan import make_plan
from harness.collect.rows import table_of
from harness.mask import encode
from harness.metrics import registered, score
from harness.metrics.label import exact_boxes, paper_boxes
from harness.perturbation.base import Unperturbed
from harness.perturbation.donors import DonorPool, random_boxes, random_sentences
from harness.perturbation.mirror import Mirror
from harness.perturbation.swap import SwapLeftRight
from harness.subsets import make_subsets
from harness.summary.cases import CaseTable
from tests.harness_fakes import LEFT_LUNG, RIGHT_LUNG, FakeClient, align, fake_map, record, sentence
from wronglung.geometry import letterbox

FRAME = letterbox(320, 256)


def table(*records, perturbations=None, models=("m",), client=None):
    """The rows of these records."""
    given = perturbations or (Unperturbed(), SwapLeftRight())
    plans = (make_plan(i, each, given) for i, each in enumerate(records))
    images = list(Collector(Exchange(client or FakeClient(), 4), models).run(plans))
    images.sort(key=lambda image: image.plan.index)
    return CaseTable(
        table_of(rows_of(images, models), make_subsets(["all", "abnormal", "one_lung"], records), ["exact", "paper"])
    )


def test_every_metric_is_that_of_the_map_against_the_boxes_of_the_case():
    study = record(3)
    cases = table(study)
    (row,) = np.flatnonzero(cases.equals("sentence_id", "s3-1") & cases.equals("perturbation", "swap_left_right"))
    attention = fake_map("m", study.load(), "There is a nodule in the right lung.")[None]
    expected = {
        "exact": score(
            attention, [exact_boxes([LEFT_LUNG], FRAME)], opt_out=[0.05], profile="exact", domains=[FRAME.image_rect]
        ),
        "paper": score(attention, [paper_boxes([LEFT_LUNG], FRAME)], opt_out=[0.05], profile="paper"),
    }
    for profile, metrics in expected.items():
        assert set(metrics) == {metric.name for metric in registered(profile)}
        for name, value in metrics.items():
            assert cases.numbers(f"{profile}_{name}")[row] == pytest.approx(value[0], rel=1e-6, nan_ok=True)


def test_a_row_says_what_was_asked_and_what_came_back():
    cases = table(record(3))
    (row,) = np.flatnonzero(cases.equals("sentence_id", "s3-1") & cases.equals("perturbation", "none"))
    values = {name: cases.values(name)[row] for name in cases.table.column_names}
    assert (values["image_id"], values["patient_id"], values["study_id"]) == ("image3", "patient1", "study3")
    assert (values["text"], values["status"], values["model"]) == ("There is a nodule in the left lung.", "ok", "m")
    assert values["boxes"] == [{"name": "left lung", "x0": 180, "y0": 30, "x1": 300, "y1": 220, "mask": None}]
    assert values["subsets"] == ["all", "abnormal", "one_lung"]
    assert values["opt_out"] == pytest.approx(0.05)
    assert values["words"] == 8
    assert values["frame"]["image_width"] == 320
    assert len(values["image_sha256"]) == 64
    np.testing.assert_array_equal(cases.maps(np.array([row]))[0], fake_map("m", record(3).load(), values["text"]))


def test_a_mask_is_scored_written_and_read_back():
    triangle = np.tri(190, 120, dtype=bool)
    masked = Box("effusion", 20, 30, 140, 220, encode(triangle))
    cases = table(record(0, sentence("mask", "Effusion.", masked), sentence("box", "Effusion.", RIGHT_LUNG)))
    rows = np.flatnonzero(cases.equals("perturbation", "none"))
    assert cases.boxes(rows) == [(masked,), (RIGHT_LUNG,)]
    drawn = [[20 + x, 30 + y, 21 + x, 220] for x in range(120) for y in [x]]
    expected = score(
        np.stack(cases.maps(rows)),
        [[FRAME.to_frame(box) for box in drawn], exact_boxes([RIGHT_LUNG], FRAME)],
        opt_out=[0.05, 0.05],
        domains=[FRAME.image_rect] * 2,
    )
    for name in ("auroc", "mass_in_box", "soft_iou", "lost"):
        assert cases.numbers(f"exact_{name}", rows) == pytest.approx(expected[name], rel=1e-6)
    assert (cases.numbers("paper_auroc", rows) != cases.numbers("paper_auroc", rows)[::-1]).all()


def test_a_failed_row_keeps_its_error_and_has_no_number():
    cases = table(record(0, sentence("bad", "Empty.", RIGHT_LUNG)), perturbations=(Unperturbed(),))
    assert cases.values("status") == ["failed"]
    assert cases.values("error_code") == ["SENTENCE_EMPTY"]
    assert all(np.isnan(cases.numbers(name)).all() for name in cases.metrics(["exact", "paper"]))


def test_failed_and_answered_parts_have_the_same_columns():
    good = table(record(0), perturbations=(Unperturbed(),))
    bad = table(record(0, sentence("bad", "Empty.", RIGHT_LUNG)), perturbations=(Unperturbed(),))
    assert good.table.schema == bad.table.schema


def test_a_case_that_does_not_apply_says_why():
    cases = table(record(0, sentence("s", "Clear.", RIGHT_LUNG)), perturbations=(SwapLeftRight(),))
    assert (cases.values("status"), cases.values("reason")) == (["not_applicable"], ["names no side"])


def test_changed_boxes_are_held_against_the_map_of_the_sentence_itself():
    records = [record(0), record(4)]
    cases = table(*records, perturbations=(Unperturbed(), random_boxes(DonorPool.of(records), seed=0)))
    none, moved = (np.flatnonzero(cases.equals("perturbation", p)) for p in ("none", "random_bboxes"))
    for a, b in zip(cases.maps(none), cases.maps(moved), strict=True):
        np.testing.assert_array_equal(a, b)
    assert cases.values("boxes", none) != cases.values("boxes", moved)


def test_a_changed_text_is_compared_with_the_sentence_itself():
    records = [record(0), record(4)]
    cases = table(*records, perturbations=(Unperturbed(), random_sentences(DonorPool.of(records), seed=0)))
    none, random = (np.flatnonzero(cases.equals("perturbation", p)) for p in ("none", "random_sentences"))
    assert np.isnan(cases.numbers("exact_kl", none)).all()
    assert (cases.numbers("exact_kl", random) >= 0).all()
    better = cases.numbers("local_similarity", none) > cases.numbers("local_similarity", random)
    np.testing.assert_array_equal(cases.numbers("exact_match_local", random), better)


def test_the_preference_for_a_side_turns_with_the_words():
    cases = table(record(0, sentence("s", "Opacity in the right lung.", RIGHT_LUNG)))
    kept, swapped = cases.numbers("exact_preference")
    assert kept > 0.6
    assert swapped < 0.4


def test_the_mirrored_case_is_compared_with_the_mirrored_map():
    cases = table(record(0), perturbations=(Unperturbed(), Mirror("mirror_both", swap_text=True)))
    values = cases.numbers("exact_mirror_consistency")
    mirrored = cases.equals("perturbation", "mirror_both")
    assert np.isfinite(values[mirrored]).all()
    assert np.isnan(values[~mirrored]).all()
    assert np.isnan(cases.numbers("exact_kl", np.flatnonzero(mirrored))).all()


def test_models_with_grids_of_their_own_stand_side_by_side():
    def answer(item):
        answered = align(item)
        return dataclasses.replace(answered, maps=answered.maps[:, :5, :4]) if item.model == "coarse" else answered

    fine, both = table(record(0)), table(record(0), models=("m", "coarse"), client=FakeClient(answer))
    coarse = both.equals("model", "coarse")
    assert set(np.array(both.values("grid_rows"))[coarse & both.equals("status", "ok")]) == {5}
    np.testing.assert_array_equal(both.numbers("exact_auroc")[~coarse], fine.numbers("exact_auroc"))
    assert np.isfinite(both.numbers("exact_kl")[coarse]).any()
