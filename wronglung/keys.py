"""Where a fault in a file of settings lies, and which key may have been meant by one that nobody knows."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel, RootModel, Tag


def suggest(name: str, known: Iterable[str]) -> str:
    """What may have been meant by an unknown name, or all that there is."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f": did you mean {close[0]!r}?" if close else f": choose from {', '.join(names)}"


def locate(kind: type[BaseModel], location: Sequence[int | str]) -> tuple[str, list[str]]:
    """The place of a fault as it stands in the file.

    Args:
        kind: what the file is read as.
        location: "loc" of a fault that pydantic found. It names, besides keys, which member of a union was read.

    Returns:
        Its key, with dots between the levels and without the names of members; and the keys that are known there.
    """
    level, path = list(_members(kind)), list[str]()
    for part in location[:-1]:
        inside = [member for each in level for member in each.inside(part)]
        named = [each for each in level if part in each.names]
        if named and not inside:  # which member of a union it is: no key
            level = named
            continue
        path.append(str(part))
        level = inside or level  # an index, or a key of a mapping: its values are of the same kind
    path.extend(str(part) for part in location[-1:])
    return ".".join(path), list(dict.fromkeys(name for each in level for name in each.model.model_fields))


class _Member(NamedTuple):
    """A class of settings, and by which words a union tells it from others."""

    model: type[BaseModel]
    names: frozenset[str]

    def inside(self, part: int | str) -> Iterator["_Member"]:
        """What its field of that name is made of."""
        fields = self.model.model_fields
        return _members(fields[part].annotation) if isinstance(part, str) and part in fields else iter(())


def _members(annotation: Any, tags: frozenset[str] = frozenset()) -> Iterator[_Member]:
    """The classes of settings that a type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, RootModel):
        yield from _members(annotation.model_fields["root"].annotation)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        types = (field.annotation for field in annotation.model_fields.values())
        words = {word for each in types if get_origin(each) is Literal for word in get_args(each)}
        yield _Member(annotation, tags | words)
    else:
        parts = get_args(annotation)
        own = frozenset(part.tag for part in parts if isinstance(part, Tag))
        for part in parts:
            yield from _members(part, own or tags)
