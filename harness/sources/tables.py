"""Tables that people and other programs write as CSV, beside the data set: of maps, and of ratings."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.settings import ConfigError


def read_csv(path: Path, required: Sequence[str], some_of: Sequence[str] = ()) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and cells of every row; a cell that is missing is empty.

    Args:
        path: a CSV file with a heading.
        required: columns that it must have.
        some_of: columns of which it must have one at least.

    Raises:
        ConfigError: it cannot be read, or lacks a column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            _check_heading(path, reader.fieldnames or (), required, some_of)
            for row in reader:
                yield reader.line_num, row
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 (byte {error.start}): save it as UTF-8") from error
    except csv.Error as error:
        raise ConfigError(f"{path} is no CSV: {error}") from error


def _check_heading(path: Path, heading: Sequence[str], required: Sequence[str], some_of: Sequence[str]) -> None:
    missing = [name for name in required if name not in heading]
    if missing:
        raise ConfigError(f"{path} lacks the column {missing[0]!r}; it has: {', '.join(heading) or 'none'}")
    if some_of and not set(some_of) & set(heading):
        raise ConfigError(f"{path} has none of the columns {', '.join(some_of)}; it has: {', '.join(heading)}")
