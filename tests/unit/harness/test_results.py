"""The files of a run: whole or not at all, equal content in equal bytes."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.collect.partfile import read_note, write_part
from harness.results import RunDirectory, json_bytes, write_cases, write_npz, write_whole


def test_json_is_canonical():
    assert json_bytes({"b": 1, "a": [0.1, float("nan"), np.float64(2.5), np.int64(3)]}) == json_bytes(
        {"a": (0.1, float("inf"), 2.5, 3), "b": 1}
    )
    assert json.loads(json_bytes({"a": float("nan")})) == {"a": None}
    assert json_bytes({"x": 0.1 + 0.2}).decode().strip() == '{\n "x": 0.30000000000000004\n}'


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(file):
        file.write(b"half of the new")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_whole(path, fail)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def part(values):
    return pa.table({"x": pa.array(values, pa.int32()), "map": pa.array([[v] for v in values], pa.list_(pa.float32()))})


def test_parts_carry_their_note_and_join_without_it(tmp_path):
    run = RunDirectory(tmp_path)
    for number in range(3):
        write_part(run.part(number), part([number, number + 10]), {"images": [number, number + 1]})
    assert read_note(run.part(2)) == {"images": [2, 3]}
    assert write_cases(run.cases, [run.part(n) for n in range(3)], ["map"]) == 6
    joined = pq.read_table(run.cases)
    assert joined.column_names == ["x"]
    assert joined["x"].to_pylist() == [0, 10, 1, 11, 2, 12]
    assert joined.schema.metadata is None


def test_equal_parts_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        write_part(tmp_path / name / "p", part([1, 2]), {"k": 1})
        write_cases(tmp_path / name / "c", [tmp_path / name / "p"], ["map"])
    assert (tmp_path / "a" / "p").read_bytes() == (tmp_path / "b" / "p").read_bytes()
    assert (tmp_path / "a" / "c").read_bytes() == (tmp_path / "b" / "c").read_bytes()


@pytest.mark.parametrize("content", [None, b"", b"PAR1 cut off"])
def test_a_missing_or_damaged_part_has_no_note(tmp_path, content):
    if content is not None:
        (tmp_path / "part").write_bytes(content)
    assert read_note(tmp_path / "part") is None


def test_maps_are_written_block_by_block_and_read_as_one_array(tmp_path):
    blocks = [np.arange(12, dtype=np.float32).reshape(2, 2, 3), np.full((1, 2, 3), np.nan, dtype=np.float32)]
    for name in ("a.npz", "b.npz"):
        write_npz(tmp_path / name, "maps", (3, 2, 3), iter(blocks))
    np.testing.assert_array_equal(np.load(tmp_path / "a.npz")["maps"], np.concatenate(blocks))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_clearing_a_run_removes_its_own_files_only(tmp_path):
    run = RunDirectory(tmp_path)
    for path in (run.manifest, run.cases, run.summary, run.part(0), run.gallery / "0.png", tmp_path / "notes.txt"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    run.clear()
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]
