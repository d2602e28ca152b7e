"""Columns of a parquet file, in memory or read when they are asked for."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from harness.columns import ColumnFile

Array = npt.NDArray[np.float64]


class ParquetColumns:
    """What of a table is needed, of a file: every column is read anew whenever it is asked for."""

    def __init__(self, path: Path) -> None:
        self._file = pq.ParquetFile(path)
        self.column_names: list[str] = self._file.schema_arrow.names
        self.num_rows: int = self._file.metadata.num_rows

    def column(self, name: str) -> pa.ChunkedArray:
        """One column of all rows."""
        return self._file.read(columns=[name], use_threads=False).column(name)


class NumbersOf(Mapping[str, Array]):
    """The columns of a table in memory as float64, NaN for null; each is kept once it was asked for."""

    def __init__(self, table: "pa.Table | ParquetColumns") -> None:
        self._table = table
        self._known: dict[str, Array] = {}

    def __getitem__(self, name: str) -> Array:
        if name not in self._known:
            self._known[name] = as_numbers(self._table.column(name))
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table.column_names)

    def __len__(self) -> int:
        return len(self._table.column_names)


def as_numbers(column: pa.ChunkedArray) -> Array:
    """A column as float64, NaN for null."""
    return np.asarray(column.combine_chunks().to_numpy(zero_copy_only=False), dtype=np.float64)


def numbers_apart(path: Path, numbers: Path) -> ColumnFile:
    """Write the numeric columns of a parquet file to a file from which each can be read at once; one row group is in
    memory at a time."""
    schema = pq.read_schema(path)
    names = [f.name for f in schema if pa.types.is_floating(f.type) or pa.types.is_integer(f.type)]
    found = ColumnFile(numbers)
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=names)
            found.append({name: as_numbers(table.column(name)) for name in names})
    return found


def plain_values(column: pa.ChunkedArray) -> list[Any]:
    """A column as Python values; equal texts are one object, so that a row costs no more than a reference."""
    if not pa.types.is_string(column.type):
        return list(column.to_pylist())
    codes = column.combine_chunks().dictionary_encode()
    texts = codes.dictionary.to_pylist()
    return [None if code is None else texts[code] for code in codes.indices.to_pylist()]
