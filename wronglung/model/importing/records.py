"""What a pickle holds when nobody carries it out: names, references, and records of calls."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Name(NamedTuple):
    """A class or function that a pickle names."""

    path: str
    """Module and name, joined by a full stop."""


class Reference(NamedTuple):
    """Something outside the pickle, such as the numbers of a tensor."""

    id: object


@dataclass(eq=False, slots=True)
class Call:
    """What a pickle would have made by calling something."""

    name: str
    arguments: tuple[Any, ...] = ()
    state: Any = None
    """What it would have been given afterwards: attributes, or anything else."""
    items: dict[Any, Any] = field(default_factory=dict)
    """Keys and values that would have been set on it."""
    elements: list[Any] = field(default_factory=list)
    """Elements that would have been appended to it."""


_KEYS = (str, int, float, bool, bytes, type(None), Name, Call)
"""What may be a key. No tuples: the hash of one nested deeply enough would end the process."""


def call_record(callee: Any, arguments: Any) -> Any:
    """The record of a call; an ordered dictionary becomes a dictionary. TypeError where there is nothing to call."""
    if not isinstance(callee, Name) or not isinstance(arguments, tuple):
        raise TypeError(f"a call of a {type(callee).__name__}")
    if callee.path == "collections.OrderedDict":
        (pairs,) = arguments or ((),)
        return {as_key(key): value for key, value in pairs}
    return Call(callee.path, arguments)


def as_key(value: Any) -> Any:
    """The value, if it may be a key; else TypeError."""
    if not isinstance(value, _KEYS):
        raise TypeError(f"a {type(value).__name__} as a key")
    return value


def as_pairs(values: list[Any]) -> dict[Any, Any]:
    """A dictionary of keys and values that alternate."""
    return dict(zip(map(as_key, values[::2]), values[1::2], strict=True))


def elements_of(target: Any) -> list[Any]:
    """Where elements are appended to: a list, or the record of a call; else TypeError."""
    elements = target.elements if isinstance(target, Call) else target
    if not isinstance(elements, list):
        raise TypeError(f"elements for a {type(target).__name__}")
    return elements


def items_of(target: Any) -> dict[Any, Any]:
    """Where keys are set: a dictionary, or the record of a call; else TypeError."""
    items = target.items if isinstance(target, Call) else target
    if not isinstance(items, dict):
        raise TypeError(f"items for a {type(target).__name__}")
    return items
