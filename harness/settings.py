"""What all files of settings share: strict models, and an error that names the key and the fix."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

PathField = Annotated[Path, Field(strict=False)]


class ConfigError(ValueError):
    """A file of settings or an option is wrong. The message names the key and the fix."""


class Settings(BaseModel):
    """Unknown keys and wrong types are errors; nothing is coerced."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def suggest(name: str, known: Iterable[str]) -> str:
    """What may have been meant by an unknown name, or all that there is."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f": did you mean {close[0]!r}?" if close else f": choose from {', '.join(names)}"


def explain(error: ValidationError, settings_at: Callable[[Sequence[str]], type[BaseModel]]) -> Iterator[str]:
    """Each fault as ``key.path: what is wrong``; `settings_at` says what an unknown key was read as a part of."""
    for fault in error.errors(include_url=False):
        yield _fault(dict(fault), settings_at)


def _fault(fault: dict[str, Any], settings_at: Callable[[Sequence[str]], type[BaseModel]]) -> str:
    location = [str(part) for part in fault["loc"]]
    if fault["type"] == "extra_forbidden":
        return f"{'.'.join(location)}: unknown key{suggest(location[-1], settings_at(location).model_fields)}"
    if fault["type"] == "value_error":  # in our own words, which say what is wrong with the input
        return ": ".join([*filter(None, [".".join(location)]), fault["msg"].removeprefix("Value error, ")])
    return f"{'.'.join(location) or 'all of it'}: {fault['msg']}, got {fault['input']!r}"
