"""Reports whose sentences speak of different places."""

import math
import random

import pytest

from harness.case import Box
from harness.diversity import most_diverse_reports, report_overlap
from tests.harness_fakes import HEIGHT, LEFT_LUNG, RIGHT_LUNG, WIDTH, record, sentence

LEFT_HALF, ALL = Box("left half", 100, 60, 160, 200), Box("all", 100, 60, 220, 200)


def report(i, *labels):
    return record(i, *(sentence(f"s{i}-{k}", f"Sentence {k}.", *boxes) for k, boxes in enumerate(labels)))


def test_the_overlap_is_the_mean_iou_of_every_two_sentences():
    """IoU ½ between half and all, 1 between all and all."""
    assert report_overlap(report(0, [LEFT_HALF], [ALL])) == pytest.approx(1 / 2)
    assert report_overlap(report(0, [LEFT_HALF], [ALL], [ALL])) == pytest.approx((1 / 2 + 1 / 2 + 1) / 3)
    assert report_overlap(report(0, [LEFT_LUNG], [RIGHT_LUNG])) == 0


def test_the_boxes_of_one_sentence_count_as_their_union():
    assert report_overlap(report(0, [ALL, LEFT_HALF], [ALL])) == pytest.approx(1)


def test_what_lies_outside_the_frame_counts_for_nothing():
    """The crop takes the image's margin: two boxes that differ only there are alike."""
    wide = Box("wide", 0, 60, WIDTH, 200), Box("wider", 10, 60, WIDTH - 10, 200)
    assert report_overlap(report(0, [wide[0]], [wide[1]])) == pytest.approx(1)
    assert math.isnan(report_overlap(report(0, [ALL], [Box("margin", 0, 0, 5, HEIGHT)])))


def test_a_report_of_one_sentence_with_boxes_has_no_overlap():
    assert math.isnan(report_overlap(report(0, [ALL])))
    assert math.isnan(report_overlap(report(0, [ALL], [])))


def test_a_tenth_of_the_sentences_is_taken_in_whole_reports():
    """Of 40 sentences 4 are wanted: the two most diverse reports hold 2 each."""
    alike = [report(i, [ALL], [ALL]) for i in range(17)]
    diverse = [report(17, [LEFT_HALF], [ALL]), report(18, [LEFT_LUNG], [RIGHT_LUNG]), report(19, [ALL], [ALL])]
    records = [*alike, *diverse]
    assert most_diverse_reports(records) == {"image17", "image18"}
    random.Random(0).shuffle(records)
    assert most_diverse_reports(records) == {"image17", "image18"}


def test_reports_of_equal_overlap_are_taken_together():
    assert len(most_diverse_reports([report(i, [ALL], [ALL]) for i in range(20)])) == 20


def test_without_reports_to_compare_there_are_none():
    assert most_diverse_reports([report(0, [ALL])]) == frozenset()
