"""The file of one part: its rows with their maps, a checksum on every page, and a note on what it holds."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness.results import COMPRESSION, plain, write_whole

NOTE = b"wronglung"

Note = dict[str, Any]


def write_part(path: Path, table: pa.Table, note: Note) -> None:
    """Write one part with a note on what it holds."""
    noted = table.replace_schema_metadata({NOTE: json.dumps(plain(note), sort_keys=True).encode()})
    write_whole(path, lambda file: pq.write_table(noted, file, compression=COMPRESSION, write_page_checksum=True))


def read_note(path: Path) -> Note | None:
    """The note of a part; None when there is no such part or its end, where the note lies, cannot be read."""
    try:
        return _note_in(pq.read_schema(path).metadata or {})
    except (OSError, pa.ArrowException):
        return None


def read_part(path: Path) -> pa.Table | None:
    """The rows of a part, every page held against its checksum; None when it is not there, cut short or damaged."""
    try:
        table = pq.read_table(path, page_checksum_verification=True)
    except (OSError, pa.ArrowException):
        return None
    return table if _note_in(table.schema.metadata or {}) is not None else None


def check_part(path: Path) -> Note | None:
    """As `read_note`, but all of the part is read, and a damaged one has no note."""
    table = read_part(path)
    return None if table is None else _note_in(table.schema.metadata or {})


def _note_in(metadata: Mapping[bytes, bytes]) -> Note | None:
    try:
        note: Note | None = json.loads(metadata.get(NOTE, b"null"))
    except ValueError:
        return None
    return note
