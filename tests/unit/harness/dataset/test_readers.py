"""How far the readers of an image agree."""

import pytest

from harness.dataset.readers import Agreement

LEFT, HALF, FAR = (0, 0, 10, 10), (5, 0, 15, 10), (50, 50, 60, 60)


def test_findings_of_both_and_of_one_are_told_apart():
    agreement = Agreement()
    agreement.see([[LEFT], [HALF]])
    agreement.see([[LEFT], []])
    agreement.see([[], []])
    assert (agreement.either, agreement.both, agreement.overlap) == (2, 1, pytest.approx(1 / 3))
    (note,) = agreement.notes("union")
    assert "of 2 findings" in note
    assert "both marked 1 (50 %), with a mean IoU of 0.33; the boxes of all readers count together" in note


def test_every_pair_of_readers_counts():
    agreement = Agreement()
    agreement.see([[LEFT], [LEFT, FAR], []])
    assert (agreement.either, agreement.both, agreement.overlap) == (3, 1, pytest.approx(0.5))


def test_one_reader_alone_agrees_with_nobody():
    agreement = Agreement()
    agreement.see([[LEFT]])
    assert list(agreement.notes("R1")) == []
