"""How every file of options is read: unknown keys and wrong types are errors that name them."""

import re
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from wronglung.keys import in_our_words, locate
from wronglung.model.errors import ModelFilesError


class StrictModel(BaseModel):
    """Base of all configuration: frozen, no unknown keys, no silent conversion."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


ConfigT = TypeVar("ConfigT", bound=BaseModel)


def parse_config(kind: type[ConfigT], json_text: str, source: str) -> ConfigT:
    """Read a configuration from JSON.

    Args:
        kind: the class to read.
        json_text: the JSON document.
        source: where it came from, for the error message.

    Raises:
        ModelFilesError: not JSON, or a key is unknown, missing or of the wrong type; the message names each key.
    """
    try:
        return kind.model_validate_json(json_text)
    except ValidationError as error:
        lines = [f"  {_fault(kind, dict(fault))}" for fault in error.errors()]
        raise ModelFilesError("\n".join([f"{source} is not a valid {kind.__name__}:", *lines])) from error


def _fault(kind: type[BaseModel], fault: dict[str, Any]) -> str:
    if ours := in_our_words(kind, fault):
        return ours
    key, _ = locate(kind, fault["loc"])
    return f"{key or '(document)'}: {fault['msg']}{_given(fault['type'], fault['input'])}"


def _given(fault: str, given: object) -> str:
    """What stood there in place of a number, and how YAML takes it for one."""
    if fault not in ("float_type", "int_type") or not isinstance(given, str):
        return ""
    exponent = re.fullmatch(r"([-+]?\d+)[eE]([-+]?\d+)", given)
    fix = f" (YAML takes it for a word: write {exponent[1]}.0e{int(exponent[2]):+d})" if exponent else ""
    return f", got {given!r}{fix}"
