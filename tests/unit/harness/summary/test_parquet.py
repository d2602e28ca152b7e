"""A file whose columns are read when they are asked for says what the file in memory says."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.columns import ColumnFile
from harness.summary.cases import CaseTable
from harness.summary.parquet import plain_values

ROWS = 11


@pytest.fixture
def tables(tmp_path):
    """The same rows in three row groups: in memory, and opened."""
    ok = ["ok", "failed", None]
    table = pa.table(
        {
            "status": pa.array([ok[i % 2] for i in range(ROWS)]),
            "patient_id": pa.array([f"p{i // 3}" for i in range(ROWS)]),
            "image_sha256": pa.array([ok[i % 3] for i in range(ROWS)]),
            "words": pa.array([None if i == 4 else i for i in range(ROWS)], pa.int32()),
            "exact_auroc": pa.array([None if i % 4 == 0 else i / 7 for i in range(ROWS)], pa.float64()),
            "subsets": pa.array([["all"] if i % 2 else ["all", "one_lung"] for i in range(ROWS)]),
            "truncated": pa.array([i % 2 == 0 for i in range(ROWS)]),
        }
    )
    path = tmp_path / "cases.parquet"
    with pq.ParquetWriter(path, table.schema) as writer:
        for start in range(0, ROWS, 4):
            writer.write_table(table.slice(start, 4))
    return CaseTable.read(path), CaseTable.open(path, tmp_path / "numbers")


def test_every_column_is_the_same(tables):
    in_memory, opened = tables
    assert len(in_memory) == len(opened) == ROWS
    assert in_memory.table.column_names == opened.table.column_names
    rows = np.array([10, 0, 4])
    for name in in_memory.table.column_names:
        assert in_memory.values(name) == opened.values(name)
        assert in_memory.values(name, rows) == opened.values(name, rows)
    for name in ("words", "exact_auroc"):
        np.testing.assert_array_equal(in_memory.numbers(name), opened.numbers(name))
        np.testing.assert_array_equal(
            in_memory.known_numbers(name, np.array([3, -1])), opened.known_numbers(name, np.array([3, -1]))
        )
    assert in_memory.metrics(["exact"]) == opened.metrics(["exact"]) == ["exact_auroc"]
    assert in_memory.subsets == opened.subsets == ["all", "one_lung"]
    np.testing.assert_array_equal(in_memory.member("one_lung"), opened.member("one_lung"))
    np.testing.assert_array_equal(in_memory.equals("status", "ok"), opened.equals("status", "ok"))


def test_numbers_of_an_opened_file_are_not_kept(tables, monkeypatch):
    asked = []
    read = ColumnFile.__getitem__
    monkeypatch.setattr(ColumnFile, "__getitem__", lambda file, name: asked.append(name) or read(file, name))
    _, opened = tables
    first = opened.numbers("exact_auroc")
    assert opened.numbers("exact_auroc") is not first
    assert asked == ["exact_auroc"] * 2


def test_equal_texts_are_one_object():
    texts = plain_values(pa.chunked_array([["a long text", None], ["a long text", "another"]]))
    assert texts == ["a long text", None, "a long text", "another"]
    assert texts[0] is texts[2]
