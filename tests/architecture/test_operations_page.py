"""docs/operations.md names what the gateway shows and what the server can be told."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client import Counter
from prometheus_client.metrics import MetricWrapperBase

from tests import repository
from wronglung.cli import build_parser
from wronglung.gateway.metrics import Metrics

PAGE = repository.read(Path("docs/operations.md"))


def flags_of(command: str) -> set[str]:
    """The long flags of a command."""
    (commands,) = [a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction)]
    actions = commands.choices[command]._actions
    return {flag for action in actions for flag in action.option_strings if flag.startswith("--")} - {"--help"}


def rows(*heads: str) -> Iterator[list[str]]:
    """The cells of the tables that begin with these heads."""
    begin = r" \| ".join(heads)
    for table in re.findall(rf"^\| {begin} \|.*\n\|---.*\n((?:\|.*\n)+)", PAGE, re.MULTILINE):
        yield from ([cell.strip() for cell in line.strip("| ").split(" | ")] for line in table.splitlines())


def quoted(cell: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`(\w+)`", cell))


def declared_by_the_gateway() -> dict[str, tuple[str, ...]]:
    """Labels by the names that the page of metrics shows."""
    metrics = [each for each in vars(Metrics()).values() if isinstance(each, MetricWrapperBase)]
    return {each._name + "_total" * isinstance(each, Counter): tuple(each._labelnames) for each in metrics}


def declared_by_the_backend() -> dict[str, tuple[str, ...]]:
    """The same of what TorchServe shows, and of what the handler reports wherever it runs."""
    declared = yaml.safe_load(repository.read(Path("deploy/torchserve/metrics.yaml")))
    kinds = [kind for part in ("ts_metrics", "model_metrics") for kind in declared[part].values()]
    return {each["name"]: tuple(each["dimensions"]) for kind in kinds for each in kind}


def test_every_metric_is_listed_by_its_full_name_with_its_labels() -> None:
    listed = {name: quoted(labels) for names, labels, _ in rows("metric", "labels") for name in quoted(names)}
    declared = declared_by_the_gateway() | declared_by_the_backend()
    assert {"wronglung_requests_total", "wronglung_handler_cache_evictions_total"} < set(declared)
    assert listed == declared


def test_every_alert_is_listed_with_its_severity_and_how_long_it_must_hold() -> None:
    listed = {quoted(name)[0]: (severity, held) for name, severity, held, _, _ in rows("alert", "severity")}
    groups = yaml.safe_load(repository.read(Path("deploy/prometheus/rules.yml")))["groups"]
    alerts = [rule for group in groups for rule in group["rules"] if "alert" in rule]
    assert len(alerts) > 10
    assert listed == {each["alert"]: (each["labels"]["severity"], each.get("for", "at once")) for each in alerts}


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
