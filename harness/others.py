"""Means over other patients, in two passes over rows of any number: what the controls that cannot see are made of.

First every row is added, then each row's mean is asked for: the sum of its group less the part of its own patient.
Float32 values of like size, and multiples of 2⁻³⁰, add up without rounding. Memory holds some bytes for each row; the
sums lie in an array or in a file.
"""

import os
from typing import IO, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

NOBODY = -1
"""The group of rows that are like no other."""


class Sums(Protocol):
    """Running sums of one shape, by number."""

    def add(self, place: int, value: Array) -> None:
        """Add to a sum."""

    def get(self, place: int) -> Array:
        """A sum; zero if nothing was added."""


class SumsInMemory:
    """Sums in one array."""

    def __init__(self, count: int, shape: tuple[int, ...]) -> None:
        self._sums = np.zeros((count, *shape))

    def add(self, place: int, value: Array) -> None:
        """Add to a sum."""
        self._sums[place] += value

    def get(self, place: int) -> Array:
        """A sum."""
        return np.asarray(self._sums[place])


class SumsInFile:
    """Sums in a file, one after the other: only those that are asked for are in memory."""

    def __init__(self, file: IO[bytes], count: int, shape: tuple[int, ...]) -> None:
        self._file, self._shape = file, shape
        self._bytes = 8 * int(np.prod(shape))
        os.ftruncate(file.fileno(), count * self._bytes)  # reads as zeros

    def add(self, place: int, value: Array) -> None:
        """Add to a sum."""
        os.pwrite(self._file.fileno(), (self.get(place) + value).tobytes(), place * self._bytes)

    def get(self, place: int) -> Array:
        """A sum."""
        data = os.pread(self._file.fileno(), self._bytes, place * self._bytes)
        return np.frombuffer(data, dtype=np.float64).reshape(self._shape)


class Groups:
    """Which rows count as alike, and whose they are. Only groups of several patients have means over others.

    Args:
        groups: (N,) the group of each row, or `NOBODY`.
        patients: (N,) the patient of each row.
    """

    def __init__(self, groups: npt.NDArray[np.integer], patients: npt.NDArray[np.integer]) -> None:
        _, group = np.unique(groups, return_inverse=True)
        _, patient = np.unique(patients, return_inverse=True)
        _, first, pair, rows = np.unique(
            group * (patient.max(initial=0) + 1) + patient, return_index=True, return_inverse=True, return_counts=True
        )
        shared = (np.bincount(group[first], minlength=group.max(initial=0) + 1) > 1)[group] & (groups != NOBODY)
        self.pair = pair.astype(np.int32)
        """(N,) number of the row's patient within its group."""
        self.group_sum = _numbered(group, shared, 0)
        """(N,) place of the group's sum; −1 without one."""
        places = int(self.group_sum.max(initial=-1)) + 1
        self.pair_sum = _numbered(pair, shared & (rows[pair] > 1), places)
        """(N,) place of the patient's part of it; −1 where that is the row alone."""
        self.places = max(places, int(self.pair_sum.max(initial=-1)) + 1)
        """How many sums there are."""


def _numbered(keys: Index, chosen: npt.NDArray[np.bool_], start: int) -> npt.NDArray[np.int32]:
    """(N,) the chosen rows' keys, numbered from `start` without gaps; −1 for the others."""
    numbers = np.full(len(keys), -1, dtype=np.int32)
    numbers[chosen] = np.unique(keys[chosen], return_inverse=True)[1] + start
    return numbers


class OtherPatients:
    """The mean over the members of a row's group that are of other patients. Rows are named by their number."""

    def __init__(self, groups: Groups, sums: Sums) -> None:
        self._groups, self._sums = groups, sums
        self._group_counts = np.zeros(groups.places, dtype=np.int32)
        self._pair_counts = np.zeros(int(groups.pair.max(initial=-1)) + 1, dtype=np.int32)

    def add(self, start: int, values: npt.NDArray[np.floating]) -> None:
        """Add rows `start`, …; one with NaN takes no part."""
        for row, value in enumerate(values.astype(np.float64), start):
            group, own = self._groups.group_sum[row], self._groups.pair_sum[row]
            if group < 0 or np.isnan(value).any():
                continue
            self._group_counts[group] += 1
            self._pair_counts[self._groups.pair[row]] += 1
            self._sums.add(int(group), value)
            if own >= 0:
                self._sums.add(int(own), value)

    def means(self, start: int, values: npt.NDArray[np.floating]) -> Array:
        """(n, …) of rows `start`, …, whose own values these are; NaN where no other patient has a value. Rounding
        never leaves a mean below 0."""
        found = np.full(values.shape, np.nan)
        for place, value in enumerate(values.astype(np.float64)):
            row = start + place
            group = self._groups.group_sum[row]
            own = self._pair_counts[self._groups.pair[row]]
            others = int(self._group_counts[group] - own) if group >= 0 else 0
            if others:
                found[place] = np.maximum(self._sums.get(int(group)) - self._own(row, value, int(own)), 0.0) / others
        return found

    def _own(self, row: int, value: Array, count: int) -> Array:
        place = int(self._groups.pair_sum[row])
        if place >= 0:
            return self._sums.get(place)
        return value if count else np.zeros_like(value)
