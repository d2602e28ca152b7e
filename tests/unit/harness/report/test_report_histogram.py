"""Histograms from `cases.parquet`."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.report.histogram import BINS, histograms


def write(path: Path, rows: list[tuple[str, str, float | None]]) -> Path:
    columns = {"model": [r[0] for r in rows], "perturbation": [r[1] for r in rows], "value": [r[2] for r in rows]}
    pq.write_table(pa.table(columns), path, row_group_size=2)
    return path


def test_bars_show_where_the_values_are(tmp_path: Path) -> None:
    rows = [("m", "none", 0.0), ("m", "none", 0.0), ("m", "none", 1.0), ("m", "none", None), ("m", "swap", 1.0)]
    none, swap = histograms(write(tmp_path / "cases.parquet", rows), "value", ("m",))
    assert (none.n, none.median, none.low, none.high) == (3, 0.0, 0.0, 1.0)
    assert [bar.x for bar in none.bars] == pytest.approx([0.0, 100 * (BINS - 1) / BINS], abs=0.01)
    assert none.bars[0].height == pytest.approx(2 * none.bars[1].height, abs=0.02)
    assert swap.bars[0].height == 100.0


def test_a_model_that_never_withholds_has_no_histogram(tmp_path: Path) -> None:
    assert histograms(write(tmp_path / "c.parquet", [("m", "none", 0.0), ("m", "none", 0.0)]), "value", ("m",)) == ()


def test_equal_values_make_one_bar(tmp_path: Path) -> None:
    (only,) = histograms(write(tmp_path / "c.parquet", [("m", "none", 0.3)] * 5), "value", ("m",))
    assert [bar.height for bar in only.bars] == [100.0]


def test_without_the_file_or_the_column_there_is_none(tmp_path: Path) -> None:
    assert histograms(tmp_path / "missing.parquet", "value", ("m",)) == ()
    assert histograms(write(tmp_path / "c.parquet", [("m", "none", 0.3)]), "other", ("m",)) == ()
