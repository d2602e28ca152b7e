"""Where a fault in a file of settings lies, and which key may have been meant by one that nobody knows."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel, RootModel, Tag
from pydantic.fields import FieldInfo


def suggest(name: str, known: Iterable[str]) -> str:
    """What may have been meant by an unknown name, or all that there is."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f": did you mean {close[0]!r}?" if close else f": choose from {', '.join(names)}"


def locate(kind: type[BaseModel], location: Sequence[int | str]) -> tuple[str, list[str]]:
    """The place of a fault as it stands in the file.

    Args:
        kind: what the file is read as.
        location: "loc" of a fault that pydantic found. It names, besides keys, which member of a tagged union was read.

    Returns:
        Its key, with dots between the levels and without the names of members; and the keys that are known there.
    """
    level, path = list(_members(kind)), list[str]()
    for number, part in enumerate(location, 1):
        chosen = [each for each in level if part in each.tags]
        inside = [member for each in level for member in each.inside(part)]
        if any(each.is_value for each in level):  # of a mapping: the part is one of its keys, whatever it reads like
            level = [each._replace(is_value=False) for each in level]
        elif len(level) > 1 and chosen and not inside:  # which member of a union it is: no key
            level = chosen
            continue
        elif number < len(location):
            level = inside or level  # an index leads to what is of the same kind
        path.append(str(part))
    return ".".join(path), list(dict.fromkeys(name for each in level for name in each.model.model_fields))


def in_our_words(kind: type[BaseModel], fault: Mapping[str, Any]) -> str:
    """What is told of an unknown key, or of what a check of ours refused; empty for faults that pydantic words.

    Args:
        kind: what the file is read as.
        fault: as pydantic found it.
    """
    key, known = locate(kind, fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"{key}: unknown key{suggest(str(fault['loc'][-1]), known)}"
    if fault["type"] == "value_error":
        return ": ".join([*filter(None, [key]), fault["msg"].removeprefix("Value error, ")])
    return ""


class _Member(NamedTuple):
    """A class of settings."""

    model: type[BaseModel]
    tags: frozenset[str]
    """By what a union tells it from its other members."""
    is_value: bool
    """Whether it is a value of a mapping, below a key of its own."""

    def inside(self, part: int | str) -> Iterator["_Member"]:
        """What its field of that name is made of."""
        fields = self.model.model_fields
        return _of_field(fields[part]) if isinstance(part, str) and part in fields else iter(())


def _of_field(field: FieldInfo) -> Iterator[_Member]:
    return _members(field.annotation, _named(field))


def _named(metadata: object) -> str:
    """The field that tells the members of a union apart; empty if there is none."""
    found = getattr(metadata, "discriminator", None)
    return found if isinstance(found, str) else ""


def _members(annotation: Any, discriminator: str = "", tags: frozenset[str] = frozenset()) -> Iterator[_Member]:
    """The classes of settings that a type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, RootModel):
        yield from _of_field(annotation.model_fields["root"])
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(discriminator)
        yield _Member(annotation, tags | frozenset(get_args(field.annotation) if field else ()), is_value=False)
    else:
        parts = get_args(annotation)
        discriminator = next(filter(None, map(_named, parts)), discriminator)
        tags |= {part.tag for part in parts if isinstance(part, Tag)}
        is_mapping = isinstance(get_origin(annotation), type) and issubclass(get_origin(annotation), Mapping)
        for part in parts:
            for member in _members(part, discriminator, tags):
                yield member._replace(is_value=True) if is_mapping else member
