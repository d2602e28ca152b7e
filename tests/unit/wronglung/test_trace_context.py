"""W3C trace context: what is well-formed travels on, all else is no context."""

import pytest

from wronglung.trace_context import NO_TRACE, TraceContext, parse

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"


def test_a_well_formed_context_travels_on_as_it_is() -> None:
    context = parse(PARENT, "rojo=00f067aa0ba902b7, congo@x=t61r")
    assert context == TraceContext(PARENT, "rojo=00f067aa0ba902b7, congo@x=t61r")
    assert context.trace_id == TRACE


def test_a_later_version_may_say_more() -> None:
    assert parse(f"cc-{TRACE}-{SPAN}-01-what-comes").trace_id == TRACE


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "00-abc-def-01",
        PARENT.upper(),
        f"{PARENT}-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"{PARENT} ",
        f"cc-{TRACE}-{SPAN}-01-{'x' * 300}",
        "The left lung is clear.",
    ],
)
def test_what_is_not_well_formed_is_no_context(parent: str) -> None:
    assert parse(parent, "a=1") == NO_TRACE


@pytest.mark.parametrize("state", ["no member", "UPPER=1", "a=1,," + "b=2," * 40, "a=" + "x" * 600, "=1", "ä=1"])
def test_a_bad_state_is_dropped_and_the_parent_kept(state: str) -> None:
    assert parse(PARENT, state) == TraceContext(PARENT)
