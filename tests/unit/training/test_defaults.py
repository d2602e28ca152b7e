"""A run is told from others by what its recipe says, without defaults: so a default that changes must not go unnoticed.

`frozen_defaults.yaml` has every default of every kind of recipe. Write it anew, once the test says so, with
``python -c 'from tests.unit.training.test_defaults import write; write()'``.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from training.config import RecipeFile

FROZEN = Path(__file__).parent / "frozen_defaults.yaml"


def defaults() -> dict[str, dict[str, Any]]:
    """Part of a recipe → key → default, of every part that a recipe can have."""
    parts = RecipeFile.model_json_schema()["$defs"]
    return {
        part: {key: said["default"] for key, said in schema.get("properties", {}).items() if "default" in said}
        for part, schema in parts.items()
    }


def write() -> None:
    """Freeze the defaults as they are now."""
    FROZEN.write_text(yaml.safe_dump(defaults(), default_flow_style=None, width=118), encoding="utf-8")


def frozen_and_now() -> tuple[dict[str, Any], dict[str, Any]]:
    """Both by dotted path."""
    frozen, now = (dict(_lines("", each)) for each in (yaml.safe_load(FROZEN.read_text()), defaults()))
    return frozen, now


def _lines(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """A section's keys one by one, so that a new one changes no other line."""
    if not isinstance(value, dict):
        yield path, value
        return
    for key, inside in value.items():
        yield from _lines(f"{path}.{key}", inside)


def test_no_default_changes_while_the_kinds_that_have_it_keep_their_schema() -> None:
    frozen, now = frozen_and_now()
    changed = {path: (frozen[path], now[path]) for path in frozen.keys() & now.keys() if frozen[path] != now[path]}
    assert changed == {}, (
        "weights of an older default would be taken for those of the new one: raise the number in"
        " training.stages.SCHEMAS of each kind of recipe that has the key, then write the file anew"
    )


def test_every_default_is_frozen() -> None:
    frozen, now = frozen_and_now()
    assert now.keys() == frozen.keys(), "a key was added or taken away: write the file anew"
