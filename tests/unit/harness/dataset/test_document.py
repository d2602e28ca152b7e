"""JSON documents of foreign data: refused when cut off, faults of a part counted."""

import gzip

import pytest

from harness.dataset.base import DatasetError, Findings
from harness.dataset.document import Part, expect_list, parse_parts, read_document


class Named(Part):
    name: str


def test_a_document_is_read_packed_or_not(tmp_path):
    for name, data in (
        ("a.json", b'{"a": [1]}'),
        ("a.json.gz", gzip.compress(b'{"a": [1]}', mtime=0)),
        ("b", b'\xef\xbb\xbf{"a": [1]}'),
    ):
        (tmp_path / name).write_bytes(data)
        assert read_document(tmp_path / name, Findings()) == {"a": [1]}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"a": [1, 2', "line 1, column 12 .* cut off"),
        (b"", "line 1, column 1"),
        (b'{"a": "\xff"}', "byte 7 is not UTF-8"),
        (gzip.compress(b'{"a": 1}' * 50, mtime=0)[:-9], "damaged or cut off"),
        (b"[" * 100_000, "nested too deep|cut off"),
    ],
)
def test_what_cannot_be_read_whole_is_refused(tmp_path, data, words):
    (tmp_path / "a.json").write_bytes(data)
    with pytest.raises(DatasetError, match=words):
        read_document(tmp_path / "a.json", Findings())


def test_a_key_that_stands_twice_is_counted_and_the_first_kept(tmp_path):
    (tmp_path / "a.json").write_text('{"a": 1, "b": 2, "a": 3}')
    findings = Findings()
    assert read_document(tmp_path / "a.json", findings) == {"a": 1, "b": 2}
    assert findings.left_out == {"key_repeated": 1}


@pytest.mark.parametrize(
    ("document", "words"), [({"b": 1}, "under 'a', got the keys 'b'"), ([], "got list|got"), (3, "got")]
)
def test_a_list_that_is_missing_is_named_with_what_is_there(tmp_path, document, words):
    with pytest.raises(DatasetError, match=words):
        expect_list(document, "a", tmp_path)


def test_a_part_that_is_not_as_expected_is_counted_by_its_place_and_without_its_values():
    findings = Findings()
    parts = parse_parts(Named, [{"name": "x", "more": 1}, {"name": 7}, "Confidential"], "things", findings)
    assert [(where, part.name) for where, part in parts] == [("things[0]", "x")]
    assert findings.left_out == {"bad_entry": 2}
    assert "things[1]: name:" in findings.examples["bad_entry"][0]
    assert "Confidential" not in str(findings.examples)
