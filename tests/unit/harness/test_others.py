"""Means over other patients, in two passes: the same whatever the blocks, in memory or in a file."""

import tempfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.others import NOBODY, Groups, OtherPatients, SumsInFile, SumsInMemory

members = st.lists(
    st.tuples(st.integers(NOBODY, 2), st.integers(0, 3), st.one_of(st.just(np.nan), st.integers(0, 64).map(float))),
    min_size=1,
    max_size=14,
)


def in_blocks(rows, size, make_sums):
    """The means when rows come so many at a time."""
    groups, patients, values = (np.array(column) for column in zip(*rows, strict=True))
    grid = values[:, None, None] * np.array([[1.0, 0.5]])
    known = Groups(groups, patients)
    others = OtherPatients(known, make_sums(known.places, (1, 2)))
    starts = range(0, len(rows), size)
    for start in starts:
        others.add(start, grid[start : start + size])
    return np.concatenate([others.means(start, grid[start : start + size]) for start in starts])


@given(rows=members, size=st.integers(1, 5))
@settings(deadline=None)
def test_a_mean_is_that_of_the_other_patients_of_the_group_however_rows_come(rows, size):
    with tempfile.TemporaryFile() as file:
        found = in_blocks(rows, size, lambda places, shape: SumsInFile(file, places, shape))
    np.testing.assert_array_equal(found, in_blocks(rows, len(rows), SumsInMemory))
    for (group, patient, _), mean in zip(rows, found, strict=True):
        others = [v for g, p, v in rows if g == group != NOBODY and p != patient and not np.isnan(v)]
        expected = np.mean(others) if others else np.nan
        assert mean[0, 0] == pytest.approx(expected, nan_ok=True)
        assert mean[0, 1] == pytest.approx(expected / 2, nan_ok=True)


def test_only_what_has_others_takes_room():
    """A wording that occurs once, or with one patient alone, has no sum; nor has a patient's only sentence of it."""
    groups = np.array([0, 0, 1, 2, 2, 2, NOBODY, NOBODY])
    patients = np.array([0, 0, 1, 2, 2, 3, 4, 5])
    known = Groups(groups, patients)
    assert known.places == 2
    assert known.group_sum.tolist() == [-1, -1, -1, 0, 0, 0, -1, -1]
    assert known.pair_sum.tolist() == [-1, -1, -1, 1, 1, -1, -1, -1]


def test_single_numbers_have_means_too():
    known = Groups(np.zeros(3, dtype=int), np.array([0, 1, 2]))
    with tempfile.TemporaryFile() as file:
        others = OtherPatients(known, SumsInFile(file, known.places, ()))
        others.add(0, np.array([1.0, 2.0, 6.0]))
        assert others.means(0, np.array([1.0, 2.0, 6.0])).tolist() == [4.0, 3.5, 1.5]
