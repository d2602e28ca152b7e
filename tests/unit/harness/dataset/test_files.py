"""Text files of foreign data: plain or packed, and every way in which they can be broken."""

import gzip

import pytest

from harness.dataset.base import DatasetError, Findings
from harness.dataset.files import read_lines, read_rows, read_table, read_whole

TABLE = b'id,text\n1,plain\n2,"with, comma"\n3,"over\ntwo lines"\n4,caf\xc3\xa9\n'


@pytest.fixture
def table(tmp_path):
    """Write bytes, and read them as a table: rows, and what was left out."""

    def read(data, columns=("id", "text")):
        path = tmp_path / "table.csv"
        path.write_bytes(data)
        findings = Findings()
        return list(read_table(path, columns, findings)), findings

    return read


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, lambda data: b"\xef\xbb\xbf" + data], ids=["plain", "gz", "bom"]
)
def test_a_table_is_read_row_by_row_packed_or_not(table, pack):
    rows, findings = table(pack(TABLE))
    assert [row["id"] for row in rows] == ["1", "2", "3", "4"]
    assert [row["text"] for row in rows] == ["plain", "with, comma", "over\ntwo lines", "café"]
    assert [row.where for row in rows] == [f"table.csv line {n}" for n in (2, 3, 4, 6)]
    assert not findings.left_out


@pytest.mark.parametrize(
    ("bad", "kind", "words"),
    [
        (b"5,\xff\n", "bad_utf8", "line 7: not UTF-8"),
        (b"5\n", "bad_line", "line 7: 1 values, the heading has 2"),
        (b"5,a,b\n", "bad_line", "line 7: 3 values"),
        (b"5," + b"x" * 200_000 + b"\n", "bad_line", "line 7: field larger"),
    ],
)
def test_a_bad_row_is_left_out_and_the_rest_is_read(table, bad, kind, words):
    rows, findings = table(TABLE + bad + b"6,last\n")
    assert [row["id"] for row in rows] == ["1", "2", "3", "4", "6"]
    assert findings.left_out == {kind: 1}
    assert words in findings.examples[kind][0]


def test_a_bad_row_can_be_asked_for_where_other_rows_depend_on_it(tmp_path):
    path, findings = tmp_path / "table.csv", Findings()
    path.write_bytes(b"id,text\n1,a\n2,\xff\n3\n")
    rows = list(read_rows(path, ("id", "text"), findings))
    assert [(row["id"], row.fault) for row in rows] == [("1", ""), ("2", "bad_utf8"), ("3", "bad_line")]
    assert findings.left_out == {"bad_utf8": 1, "bad_line": 1}


def test_a_missing_column_is_named_with_those_that_are_there(table):
    with pytest.raises(DatasetError, match="no column 'sentence'; it has: 'id', 'text'"):
        table(TABLE, ("id", "sentence"))
    with pytest.raises(DatasetError, match=r"it has: 'id;text' \(one column: values are divided by ','\)"):
        table(TABLE.replace(b",", b";"), ("id", "text"))
    with pytest.raises(DatasetError, match="save the file as UTF-8"):
        table(TABLE.decode().encode("utf-16"), ("id", "text"))
    with pytest.raises(DatasetError, match="it has: none"):
        table(b"")
    with pytest.raises(DatasetError, match="no heading that can be read"):
        table(b"x" * 200_000)


@pytest.mark.parametrize("read", [lambda path: list(read_lines(path)), read_whole])
@pytest.mark.parametrize("spoil", [lambda data: data[:-9], lambda data: data[:40] + b"\0\0\0" + data[43:]])
def test_a_packed_file_that_is_cut_off_or_damaged_is_refused(tmp_path, read, spoil):
    path = tmp_path / "data.csv.gz"
    path.write_bytes(gzip.compress(TABLE * 9))
    read(path)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(DatasetError, match=r"data\.csv\.gz is damaged or cut off"):
        read(path)
