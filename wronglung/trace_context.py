"""W3C trace context: which trace a request belongs to, as `traceparent` and `tracestate` carry it.

https://www.w3.org/TR/trace-context/ (level 1). What is not well-formed is no context: it must not travel on.
"""

import re
from dataclasses import dataclass

_PARENT = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-[0-9a-f]{2}(?P<more>-[\x21-\x7e]*)?"
)
_MEMBER = re.compile(r"[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]")
_MOST_MEMBERS = 32
_LONGEST_STATE = 512
_LONGEST_PARENT = 256


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A caller's trace context; both empty when it sent none."""

    traceparent: str = ""
    tracestate: str = ""

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits, or empty."""
        return self.traceparent.split("-")[1] if self.traceparent else ""


NO_TRACE = TraceContext()


def parse(traceparent: str, tracestate: str = "") -> TraceContext:
    """The context that two header values make; without a well-formed `traceparent` there is none."""
    if not _is_parent(traceparent):
        return NO_TRACE
    return TraceContext(traceparent, tracestate if _is_state(tracestate) else "")


def _is_parent(text: str) -> bool:
    found = _PARENT.fullmatch(text) if len(text) <= _LONGEST_PARENT else None
    if found is None or found["version"] == "ff" or (found["version"] == "00" and found["more"]):
        return False
    return any(digit != "0" for digit in found["trace"]) and any(digit != "0" for digit in found["span"])


def _is_state(text: str) -> bool:
    members = [member.strip() for member in text.split(",") if member.strip()]
    return (
        len(text) <= _LONGEST_STATE
        and 0 < len(members) <= _MOST_MEMBERS
        and all(_MEMBER.fullmatch(member) for member in members)
    )
