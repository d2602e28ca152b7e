"""Tables and documents as data sets ship them: the same values give the same bytes."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


def write_table(path: Path, heading: Sequence[str], rows: Iterable[Sequence[Any]], *, delimiter: str = ",") -> None:
    """Write a table with a heading."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerow(heading)
        writer.writerows(rows)


def write_document(path: Path, document: Any) -> None:
    """Write values as JSON."""
    path.write_text(json.dumps(document, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


def write_patients(path: Path, rows: Iterable[tuple[str, str]]) -> None:
    """Write whose image each is, for data sets that name no patient."""
    write_table(path, ("image_id", "patient_id"), rows)
