"""A recipe's document, together with what it inherits from the recipe that its key `base` names."""

from pathlib import Path
from typing import Any

import yaml

from wronglung.model.errors import ModelFilesError

_BASE = "base"


def read_document(path: Path) -> Any:
    """Read a YAML file. Where it names a `base` (a path relative to its own folder), it says only what differs.

    Sections are merged key by key, at any depth; anything else, a list too, takes the place of what the base says.

    Raises:
        ModelFilesError: unreadable, not YAML, or recipes that are each other's base.
    """
    return _read(path, ())


def _read(path: Path, heirs: tuple[Path, ...]) -> Any:
    resolved = path.resolve()
    if resolved in heirs:
        circle = " → ".join(heir.name for heir in (*heirs[heirs.index(resolved) :], resolved))
        raise ModelFilesError(f"{heirs[0]}: recipes are each other's base: {circle}; remove one `base`")
    document = _load(path)
    if not isinstance(document, dict) or _BASE not in document:
        return document
    base = document.pop(_BASE)
    if not isinstance(base, str):
        raise ModelFilesError(f"{path}: base must name one recipe file, relative to its folder, not {base!r}")
    inherited = _read(path.parent / base, (*heirs, resolved))
    if not isinstance(inherited, dict):
        raise ModelFilesError(f"{path}: its base {base} is no mapping of keys")
    return _merged(inherited, document)


def _load(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ModelFilesError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    except yaml.YAMLError as error:
        raise ModelFilesError(f"{path} is not YAML: {error}") from error


def _merged(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in own.items():
        inherited = base.get(key)
        if isinstance(inherited, dict) and isinstance(value, dict):
            merged[key] = _merged(inherited, value)
        else:
            merged[key] = value
    return merged
