"""docs/operations.md names what the gateway shows and what the server can be told."""

import argparse
import re
from pathlib import Path

import pytest

from tests import repository
from wronglung.cli import build_parser
from wronglung.gateway.metrics import Metrics

PAGE = repository.read(Path("docs/operations.md"))


def flags_of(command: str) -> set[str]:
    """The long flags of a command."""
    (commands,) = [a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction)]
    actions = commands.choices[command]._actions
    return {flag for action in actions for flag in action.option_strings if flag.startswith("--")} - {"--help"}


def test_every_metric_of_the_gateway_is_named() -> None:
    names = {metric.name for metric in Metrics().registry.collect()}
    assert len(names) > 10
    assert {name for name in names if f"`{name}" not in PAGE} == set()


@pytest.mark.parametrize("command", ["serve"])
def test_every_flag_of_the_server_is_named(command: str) -> None:
    flags = flags_of(command)
    assert "--tls-cert" in flags
    assert {flag for flag in flags if f"`{flag}`" not in PAGE} == set()


def test_the_objectives_name_alerts_and_records_that_exist() -> None:
    page, rules = (repository.read(Path(path)) for path in ("docs/service-levels.md", "deploy/prometheus/rules.yml"))
    named = set(re.findall(r"`(Wronglung\w+)`", page))
    assert len(named) > 5
    assert {alert for alert in named if f"- alert: {alert}\n" not in rules} == set()
    for record in re.findall(r"`(wronglung:\w+:rate)…`", page):
        assert f"- record: {record}5m\n" in rules


def test_every_alert_has_a_test() -> None:
    rules = repository.read(Path("deploy/prometheus/rules.yml"))
    tests = repository.read(Path("deploy/prometheus/rules_test.yml"))
    alerts = {line.split()[-1] for line in rules.splitlines() if "- alert:" in line}
    assert {alert for alert in alerts if f"alertname: {alert}\n" not in tests} == set()
