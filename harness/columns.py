"""Columns of numbers that are read when they are asked for, so that one at a time is in memory."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]


class LazyColumns(Mapping[str, Array]):
    """Named columns, each computed anew whenever it is asked for."""

    def __init__(self, names: Iterable[str], column: Callable[[str], Array]) -> None:
        self._names = dict.fromkeys(names)
        self._column = column

    def __getitem__(self, name: str) -> Array:
        if name not in self._names:
            raise KeyError(name)
        return self._column(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names


def pick(columns: Mapping[str, Array], rows: Index) -> LazyColumns:
    """These rows of every column; NaN for a row number below 0."""
    return LazyColumns(columns, lambda name: at(columns[name], rows))


def at(values: Array, rows: Index) -> Array:
    """The values of these rows; NaN for a row number below 0."""
    return np.where(rows < 0, np.nan, values[np.maximum(rows, 0)])


class ColumnFile(Mapping[str, Array]):
    """Columns of float64 in one file, which grows by blocks of rows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names: dict[str, int] = {}
        self._blocks: list[int] = []
        """Rows of each block; its columns lie one after the other."""
        path.write_bytes(b"")

    def append(self, columns: Mapping[str, Array]) -> None:
        """Add rows.

        Raises:
            ValueError: the columns are not those of the first block, or not of one length.
        """
        names = {name: place for place, name in enumerate(columns)}
        if self._blocks and names != self._names:
            raise ValueError("every block of a file has the same columns in the same order")
        block = np.array(list(columns.values()), dtype=np.float64).reshape(len(names), -1)
        with self._path.open("ab") as file:
            file.write(block.tobytes())
        self._names = names
        self._blocks.append(block.shape[1])

    def __getitem__(self, name: str) -> Array:
        place, width = self._names[name], 8 * len(self._names)
        found, start = [np.empty(0)], 0
        with self._path.open("rb") as file:
            for rows in self._blocks:
                file.seek(start + 8 * place * rows)
                found.append(np.frombuffer(file.read(8 * rows), dtype=np.float64))
                start += width * rows
        return np.concatenate(found)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
