"""JSON documents of foreign data: read whole, each part held against what is expected of it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.dataset.base import DatasetError, Findings
from harness.dataset.files import read_whole
from harness.dataset.line import explain


class Part(BaseModel):
    """A part of a document: types are never coerced, keys that are not named here are other people's."""

    model_config = ConfigDict(strict=True, frozen=True)


P = TypeVar("P", bound=Part)


def read_document(path: Path, findings: Findings) -> Any:
    """The values of a JSON file, packed by gzip or not. Of a key that stands twice in one object the first counts.

    Raises:
        FileNotFoundError: there is no such file.
        DatasetError: it is no UTF-8 or no JSON, or is damaged or cut off: what is missing nobody can count.
    """

    def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in pairs:
            if key in values:
                findings.leave_out("key_repeated", path.name, f"key {key!r} stands twice; the first counts")
            values.setdefault(key, value)
        return values

    try:
        return json.loads(read_whole(path).decode("utf-8"), object_pairs_hook=object_of)
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: byte {error.start} is not UTF-8: save the file as UTF-8") from error
    except json.JSONDecodeError as error:
        message = f"{path} is no JSON at line {error.lineno}, column {error.colno} ({error.msg}): was it cut off?"
        raise DatasetError(message) from error
    except RecursionError as error:
        raise DatasetError(f"{path} is nested too deep to be a data set") from error


def expect_list(document: Any, key: str, path: Path) -> list[Any]:
    """The list under a key of a document; "" for the document itself.

    Raises:
        DatasetError: it is not there, or no list.
    """
    values = document.get(key) if key and isinstance(document, dict) else None if key else document
    if not isinstance(values, list):
        raise DatasetError(f"{path} must hold a list{f' under {key!r}' if key else ''}, got {_kind(values, document)}")
    return values


def _kind(values: Any, document: Any) -> str:
    if values is None and isinstance(document, dict):
        return f"the keys {', '.join(map(repr, list(document)[:8])) or 'none'}"
    return type(values).__name__


def parse_part(model: type[P], value: Any, where: str, findings: Findings) -> P | None:
    """One part; None, and counted, if it is not as expected."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        findings.leave_out("bad_entry", where, explain(error))
        return None


def parse_parts(model: type[P], values: Sequence[Any], name: str, findings: Findings) -> list[tuple[str, P]]:
    """Every part that is as expected, with where it stands, e.g. ``annotations[3]``."""
    parts = ((f"{name}[{i}]", parse_part(model, value, f"{name}[{i}]", findings)) for i, value in enumerate(values))
    return [(where, part) for where, part in parts if part is not None]
