"""The parts that the supervisor keeps alive."""

import sys
from collections.abc import Mapping
from typing import Any

import pytest

from wronglung.supervisor.parts import GatewayPart


async def test_a_line_that_is_no_report_is_shown_and_harms_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    reports: list[Mapping[str, Any]] = []
    script = "print('{\"failing\": []}'); print('a library says hello'); print('{\"failing\": [\"m\"]}')"
    part = GatewayPart(lambda: [sys.executable, "-c", script], reports.append, grace_s=1)
    await part.start()
    assert await part.wait() == 0
    assert reports == [{"failing": []}, {"failing": ["m"]}]
    assert "a library says hello" in capfd.readouterr().err
