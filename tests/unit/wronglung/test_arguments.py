"""Numbers of the command line: what is out of range is refused under the name of its flag, before anything starts."""

from collections.abc import Callable

import pytest

from wronglung.cli import main
from wronglung.gateway.__main__ import main as gateway

GATEWAY = ["--models=models.json", "--torchserve=127.0.0.1:1"]


def serve(flag: str, value: str) -> int:
    return main(["serve", f"{flag}={value}"])


def front(flag: str, value: str) -> int:
    return gateway([*GATEWAY, f"{flag}={value}"])


@pytest.mark.parametrize(
    ("start", "flag", "value"),
    [
        (serve, "--port", "65536"),
        (serve, "--port", "http"),
        (serve, "--metrics-port", "-1"),
        (serve, "--startup-timeout", "0"),
        (serve, "--drain", "-1"),
        (serve, "--drain", "nan"),
        (serve, "--drain", "soon"),
        (serve, "--connection-age", "inf"),
        (serve, "--java-heap", "8"),
        (front, "--port", "70000"),
        (front, "--drain-s", "-1"),
        (front, "--connection-age-s", "nan"),
    ],
)
def test_a_number_out_of_range_is_named_with_its_flag(
    start: Callable[[str, str], int], flag: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        start(flag, value)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert f"argument {flag}: " in said
    assert value in said
