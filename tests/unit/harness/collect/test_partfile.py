"""The file of a part: what is torn is found out, wherever it is torn."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.collect.partfile import check_part, read_note, read_part, write_part

NOTE = {"images": [0, 2], "models": {"encoder": {"grid": [7, 7]}}}


def rows(count: int = 500) -> pa.Table:
    return pa.table(
        {
            "text": pa.array([f"sentence {i}" for i in range(count)]),
            "map": pa.array([[i / 7, i / 3] for i in range(count)], pa.list_(pa.float32())),
            "exact_auroc": pa.array([None if i % 5 else i / count for i in range(count)], pa.float64()),
        }
    )


@pytest.fixture(scope="module")
def part(tmp_path_factory):
    path = tmp_path_factory.mktemp("part") / "part-000000.parquet"
    write_part(path, rows(), NOTE)
    return path


def test_a_part_reads_back_with_its_note(part):
    assert read_note(part) == check_part(part) == NOTE
    assert read_part(part).replace_schema_metadata(None).equals(rows())


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_part_that_was_cut_short_is_not_there(part, data):
    whole = part.read_bytes()
    cut = part.with_name("cut")
    cut.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert check_part(cut) is None
    assert read_part(cut) is None


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_block_that_never_reached_the_disk_is_found_out(part, data):
    """A block of zeros either leaves the part as it was or makes it unreadable: never other rows."""
    whole = part.read_bytes()
    start = data.draw(st.integers(0, len(whole) - 1))
    length = data.draw(st.sampled_from([16, 512, 4096]))
    holed = part.with_name("holed")
    holed.write_bytes(whole[:start] + bytes(len(whole[start : start + length])) + whole[start + length :])
    table = read_part(holed)
    assert table is None or (table.equals(rows()) and check_part(holed) == NOTE)


def test_what_is_no_part_has_no_note(tmp_path):
    assert check_part(tmp_path / "absent") is None
    (tmp_path / "text").write_text("PAR1 and so on PAR1")
    assert check_part(tmp_path / "text") is None
