"""The parts that the supervisor keeps alive."""

import asyncio
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from wronglung.supervisor.parts import GatewayPart
from wronglung.supervisor.reports import pieces

REPORT = """print('{"failing": ["m"]}')"""
NO_REPORTS = {
    "words": "print('a library says hello')",
    "a number": "print('42')",
    "null": "print('null')",
    "a list": "print('[]')",
    "a text": """print('"failing"')""",
    "another object": """print('{"level": "info"}')""",
    "too little": """print('{"listening": {"target": "127.0.0.1:1"}}')""",
    "a wrong kind": """print('{"listening": 5}'); print('{"failing": 5}'); print('{"failing": [5]}')""",
    "no text": r"sys.stdout.buffer.write(b'\xff\xfe\n')",
    "too deep": "print('[' * 60_000)",
    "too long": "print('x' * 200_000)",
    "nothing": "print()",
}


async def heard(script: str) -> list[Mapping[str, Any]]:
    """The reports in what a gateway prints; it ended by itself."""
    reports: list[Mapping[str, Any]] = []
    part = GatewayPart(lambda: [sys.executable, "-c", f"import sys\n{script}"], reports.append, grace_s=1)
    await part.start()
    assert await part.wait() == 0
    return reports


@pytest.mark.parametrize("line", NO_REPORTS.values(), ids=NO_REPORTS.keys())
async def test_a_line_that_is_no_report_is_passed_by_and_harms_nothing(line: str) -> None:
    script = f"{REPORT}; sys.stdout.flush()\n{line}; sys.stdout.flush()\n{REPORT}"
    assert await heard(script) == [{"failing": ["m"]}] * 2


@pytest.mark.parametrize("line", ["a library says hello", "42", '{"level": "info"}'])
async def test_a_line_that_is_no_report_is_shown(capfd: pytest.CaptureFixture[str], line: str) -> None:
    await heard(f"print({line!r})")
    assert capfd.readouterr().err == f"{line}\n"


async def test_what_a_report_says_beside_is_handed_on() -> None:
    where = {"target": "127.0.0.1:1", "port": 1, "metrics_port": 2, "metrics_url": "http://127.0.0.1:2/metrics"}
    report = {"listening": where, "failing": ["m"], "since": 3}
    assert await heard(f"import json; print(json.dumps({report}))") == [report]


async def test_the_end_of_a_line_that_is_too_long_or_was_cut_off_is_no_line() -> None:
    stream = asyncio.StreamReader(limit=20)
    stream.feed_data(b"x" * 21)
    read = pieces(stream)
    assert await anext(read) == (b"x" * 21, False)
    stream.feed_data(b'{"failing": []}\n{"failing": ["m"]}\n{"failing"')
    stream.feed_eof()
    said = [each async for each in read]
    assert said == [(b'{"failing": []}\n', False), (b'{"failing": ["m"]}\n', True), (b'{"failing"', False)]
