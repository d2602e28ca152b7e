"""What the gateway says of itself on its standard output, among whatever else is printed there."""

import asyncio
import json
from asyncio import StreamReader
from collections.abc import AsyncIterator, Mapping
from typing import Any

_LISTENING = {"target": str, "port": int, "metrics_port": int, "metrics_url": str}


async def pieces(stream: StreamReader) -> AsyncIterator[tuple[bytes, bool]]:
    """Everything that a stream gives, in order: each line, and whether it is whole.

    One that is longer than the stream's limit comes in pieces of which none is, as does one that was cut off.
    """
    begins_a_line = True
    while piece := await _next(stream):
        ends_a_line = piece.endswith(b"\n")
        yield piece, begins_a_line and ends_a_line
        begins_a_line = ends_a_line


def as_report(line: bytes) -> Mapping[str, Any] | None:
    """The report that a line is; see `wronglung.gateway.__main__`. None: it is none that can be acted on."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) and _is_report(said) else None


async def _next(stream: StreamReader) -> bytes:
    """A line, or as much of one as the stream holds; nothing at the end."""
    try:
        return await stream.readuntil(b"\n")
    except asyncio.IncompleteReadError as end:
        return end.partial
    except asyncio.LimitOverrunError as overrun:
        return await stream.readexactly(overrun.consumed)


def _is_report(said: dict[str, Any]) -> bool:
    found = [is_right(said[key]) for key, is_right in _PARTS.items() if key in said]
    return bool(found) and all(found)


def _is_place(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(key), kind) for key, kind in _LISTENING.items())


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


_PARTS = {"listening": _is_place, "failing": _are_names}
"""A report has at least one of these."""
