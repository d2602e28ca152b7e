"""CSV files of other programs: what is wrong with one is told with what it has."""

import pytest

from harness.settings import ConfigError
from harness.sources.tables import read_csv


def test_rows_have_their_line_and_a_missing_cell_is_empty(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes('\ufeffa,b\n1,2\n\n"two\nlines"\n'.encode())
    assert list(read_csv(path, ["a"])) == [(2, {"a": "1", "b": "2"}), (5, {"a": "two\nlines", "b": ""})]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a,c\n", "lacks the column 'b'; it has: a, c"),
        (b"", "lacks the column 'a'; it has: none"),
        (b"a,b\n1,2\n", "has none of the columns x, y; it has: a, b"),
        (b"a,b,x\n\xff,,\n", r"is not UTF-8 \(byte 6\)"),
        (b'a,b,x\n"' + b"1" * 200_000 + b'",,\n', "is no CSV: field larger"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path, content, words):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"t\.csv {words}"):
        list(read_csv(path, ["a", "b"], ["x", "y"]))
