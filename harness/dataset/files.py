"""Text files of foreign data, read as a stream: gzip or not, every fault named with its line."""

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness.dataset.base import DatasetError, Findings

_GZIP_START = b"\x1f\x8b"
_MARK = b"\xef\xbb\xbf"
"""The byte order mark that some programs put before UTF-8."""


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file, packed by gzip or not, numbered from 1.

    Raises:
        FileNotFoundError: there is no such file.
        DatasetError: it is packed and damaged or cut off. What is missing nobody can count, so it is refused.
    """
    with path.open("rb") as file:
        packed = file.read(len(_GZIP_START)) == _GZIP_START
    with _whole_or_refused(path), gzip.open(path, "rb") if packed else path.open("rb") as lines:
        for number, data in enumerate(lines, start=1):
            yield number, data.removeprefix(_MARK) if number == 1 else data


def read_whole(path: Path) -> bytes:
    """All bytes of a file, packed by gzip or not. Raises as `read_lines`."""
    data = path.read_bytes()
    if not data.startswith(_GZIP_START):
        return data.removeprefix(_MARK)
    with _whole_or_refused(path):
        return gzip.decompress(data).removeprefix(_MARK)


@contextmanager
def _whole_or_refused(path: Path) -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DatasetError(f"{path} is damaged or cut off ({error}): copy it again") from error


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table by its column names."""

    where: str
    """The file's name and the line that the row begins on."""
    values: dict[str, str]
    fault: str = ""
    """Why the row cannot be used, as it was counted; some of its values may still be right."""

    def __getitem__(self, column: str) -> str:
        return self.values[column]


@dataclass(slots=True)
class _Decoded:
    """The lines of a file as text; bytes that are not UTF-8 become lone surrogates."""

    path: Path
    number: int = field(default=0, init=False)

    def __iter__(self) -> Iterator[str]:
        for number, data in read_lines(self.path):
            self.number = number
            yield data.decode("utf-8", errors="surrogateescape")


def read_table(path: Path, columns: Sequence[str], findings: Findings, *, delimiter: str = ",") -> Iterator[Row]:
    """The rows of a table with a heading (CSV; TSV with a tab as `delimiter`), packed by gzip or not.

    A row of another length than the heading, and one that is not UTF-8, are left out and counted.

    Args:
        path: the file.
        columns: names that the heading must have; there may be others.
        findings: where to count.
        delimiter: what stands between two values.

    Raises:
        FileNotFoundError: there is no such file.
        DatasetError: it lacks a column, or is packed and damaged or cut off.
    """
    return (row for row in read_rows(path, columns, findings, delimiter=delimiter) if not row.fault)


def read_rows(path: Path, columns: Sequence[str], findings: Findings, *, delimiter: str = ",") -> Iterator[Row]:
    """As `read_table`, but a row that is counted as left out is given too, with its `fault`: where several rows make
    one sentence, the others must not be used without it."""
    lines = _Decoded(path)
    reader = csv.reader(iter(lines), delimiter=delimiter)
    try:
        heading = next(reader, [])
    except csv.Error as error:
        raise DatasetError(f"{path} has no heading that can be read: {error}") from error
    if not all(map(_is_text, heading)):
        raise DatasetError(f"{path} is not UTF-8: save the file as UTF-8")
    missing = [name for name in columns if name not in heading]
    if missing:
        there = ", ".join(map(repr, heading)) or "none"
        hint = f" (one column: values are divided by {delimiter!r})" if len(heading) == 1 else ""
        raise DatasetError(f"{path} has no column {missing[0]!r}; it has: {there}{hint}")
    while True:
        where = f"{path.name} line {lines.number + 1}"
        try:
            values = next(reader, None)
        except csv.Error as error:
            findings.leave_out("bad_line", where, str(error))
            yield Row(where, {}, "bad_line")
            continue
        if values is None:
            return
        if values:
            yield _row(where, heading, values, findings)


def _row(where: str, heading: Sequence[str], values: Sequence[str], findings: Findings) -> Row:
    fault = ""
    if not all(map(_is_text, values)):
        fault = "bad_utf8"
        findings.leave_out(fault, where, "not UTF-8: save the file as UTF-8")
    elif len(values) != len(heading):
        fault = "bad_line"
        findings.leave_out(fault, where, f"{len(values)} values, the heading has {len(heading)}")
    return Row(where, dict(zip(heading, values, strict=False)), fault)


def _is_text(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)
