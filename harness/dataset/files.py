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

    def __getitem__(self, column: str) -> str:
        return self.values[column]


@dataclass(slots=True)
class _Decoded:
    """The lines of a file as text; what is not UTF-8 is left out and counted."""

    path: Path
    findings: Findings
    number: int = field(default=0, init=False)

    def __iter__(self) -> Iterator[str]:
        for number, data in read_lines(self.path):
            self.number = number
            try:
                yield data.decode("utf-8")
            except UnicodeDecodeError as error:
                message = f"byte {error.start} is not UTF-8: save the file as UTF-8"
                self.findings.leave_out("bad_utf8", f"{self.path.name} line {number}", message)


def read_table(path: Path, columns: Sequence[str], findings: Findings, *, delimiter: str = ",") -> Iterator[Row]:
    """The rows of a table with a heading (CSV; TSV with a tab as `delimiter`), packed by gzip or not.

    A row of another length than the heading, and a line that is not UTF-8, are left out and counted.

    Args:
        path: the file.
        columns: names that the heading must have; there may be others.
        findings: where to count.
        delimiter: what stands between two values.

    Raises:
        FileNotFoundError: there is no such file.
        DatasetError: it lacks a column, or is packed and damaged or cut off.
    """
    lines = _Decoded(path, findings)
    reader = csv.reader(iter(lines), delimiter=delimiter)
    heading = next(reader, [])
    missing = [name for name in columns if name not in heading]
    if missing:
        raise DatasetError(f"{path} has no column {missing[0]!r}; it has: {', '.join(map(repr, heading)) or 'none'}")
    while True:
        start = lines.number + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            findings.leave_out("bad_line", f"{path.name} line {start}", str(error))
            continue
        if row is None:
            return
        if len(row) == len(heading):
            yield Row(f"{path.name} line {start}", dict(zip(heading, row, strict=True)))
        elif row:
            message = f"{len(row)} values, the heading has {len(heading)}"
            findings.leave_out("bad_line", f"{path.name} line {start}", message)
