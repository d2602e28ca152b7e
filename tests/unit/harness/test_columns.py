"""Columns that are read when they are asked for."""

import numpy as np
import pytest

from harness.columns import ColumnFile, LazyColumns, pick


def blocks():
    rng = np.random.default_rng(0)
    return [{"a": rng.random(n), "b": np.where(rng.random(n) < 0.5, np.nan, 1.0)} for n in (3, 0, 5)]


def test_blocks_read_back_as_one_column(tmp_path):
    file = ColumnFile(tmp_path / "columns")
    for block in blocks():
        file.append(block)
    assert list(file) == ["a", "b"]
    for name, values in file.items():
        np.testing.assert_array_equal(values, np.concatenate([block[name] for block in blocks()]))


def test_every_block_has_the_same_columns(tmp_path):
    file = ColumnFile(tmp_path / "columns")
    file.append({"a": np.ones(2), "b": np.ones(2)})
    for other in ({"a": np.ones(2)}, {"b": np.ones(2), "a": np.ones(2)}):
        with pytest.raises(ValueError, match="same columns"):
            file.append(other)


def test_a_column_is_read_only_when_it_is_asked_for():
    asked = []
    columns = LazyColumns(["a", "b"], lambda name: asked.append(name) or np.arange(4.0))
    picked = pick(columns, np.array([3, -1, 0]))
    assert list(picked) == ["a", "b"]
    assert "a" in picked
    assert not asked
    np.testing.assert_array_equal(picked["b"], [3, np.nan, 0])
    assert asked == ["b"]
    with pytest.raises(KeyError):
        picked["c"]
