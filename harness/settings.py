"""What all files of settings share: strict models, and an error that names the key and the fix."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wronglung.keys import in_our_words, locate

PathField = Annotated[Path, Field(strict=False)]


class ConfigError(ValueError):
    """A file of settings or an option is wrong. The message names the key and the fix."""


class Settings(BaseModel):
    """Unknown keys and wrong types are errors; nothing is coerced."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def explain(error: ValidationError, kind: type[BaseModel]) -> Iterator[str]:
    """Each fault of what was read as `kind`, as ``key.path: what is wrong``."""
    for fault in error.errors(include_url=False):
        yield _fault(dict(fault), kind)


def _fault(fault: dict[str, Any], kind: type[BaseModel]) -> str:
    if ours := in_our_words(kind, fault):
        return ours
    key, _ = locate(kind, fault["loc"])
    return f"{key or 'all of it'}: {fault['msg']}, got {fault['input']!r}"
