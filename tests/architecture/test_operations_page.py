"""docs/operations.md names what the gateway shows and what the server can be told."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client import Counter
from prometheus_client.metrics import MetricWrapperBase

from handlers import alignment_handler
from tests import repository
from wronglung.cli import build_parser
from wronglung.errors import leaf_errors
from wronglung.gateway import load
from wronglung.gateway.intake import Terms
from wronglung.gateway.metrics import Metrics
from wronglung.gateway.service import Most
from wronglung.supervisor.supervisor import Patience

PAGE = repository.read(Path("docs/operations.md"))


def actions_of(command: str) -> dict[str, argparse.Action]:
    """What a command's long flags do."""
    (commands,) = [a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction)]
    return {flag: action for action in commands.choices[command]._actions for flag in action.option_strings}


def flags_of(command: str) -> set[str]:
    """The long flags of a command."""
    return {flag for flag in actions_of(command) if flag.startswith("--")} - {"--help"}


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


DEFAULTS = {
    flag.strip("`"): default
    for flags, defaults, _ in rows("flag", "default")
    for flag, default in zip(flags.split(", "), defaults.split(", "), strict=True)
}


@pytest.mark.parametrize("flag", DEFAULTS)
def test_the_default_of_a_flag_is_the_one_of_the_command(flag: str) -> None:
    default = actions_of("serve")[flag].default
    if default:
        assert re.search(rf"(?<![\w.]){re.escape(str(default).removesuffix('.0'))}(?![\w.])", DEFAULTS[flag])
    else:  # what that means is said in words
        assert DEFAULTS[flag]
        assert not re.search(r"\d", DEFAULTS[flag])


def test_every_error_that_is_named_exists() -> None:
    assert set(re.findall(r"ERROR_CODE_\w+", PAGE)) <= set(leaf_errors())


LOGGED = sorted(
    {*re.findall(r"`([^`]+)` in the log", PAGE), *re.findall(r"`([a-z]+(?: [a-z]+)+)` (?:and why|when)", PAGE)}
)


def test_there_are_flags_and_lines_to_look_at() -> None:
    assert len(DEFAULTS) > 10
    assert len(LOGGED) > 5


@pytest.mark.parametrize("line", LOGGED)
def test_a_line_of_the_log_that_is_quoted_is_one_that_is_written(line: str) -> None:
    sources = [*repository.modules("wronglung"), *repository.modules("handlers")]
    assert any(line in repository.read(path) for path in sources)


THRESHOLDS = {
    "WronglungServerErrors": (["> 0.01"], "over 1 %"),
    "WronglungOverloaded": (["> 1"], "over 1 request a second"),
    "WronglungCertificateExpires": (["< 7 * 86400"], "less than 7 days"),
    "WronglungLogLinesLost": (["[10m]) > 0"], "in the last 10 minutes"),
    "WronglungCallersRefused": (["> 1"], "over 1 call a second"),
    "WronglungSlow": (["> 5"], "p95 of a model's `Align` is over 5 s"),
    "WronglungErrorBudgetBurnsFast": (
        ["rate1h > 14.4 * 0.001", "rate6h > 6 * 0.001"],
        "14.4 times too fast for 1 h, or 6 times for 6 h",
    ),
    "WronglungErrorBudgetBurns": (["rate3d > 0.001"], "for 3 days"),
    "WronglungLatencyBudgetBurnsFast": (
        ["rate1h > 14.4 * 0.05", "rate6h > 6 * 0.05"],
        "14.4 times too fast for 1 h, or 6 times for 6 h",
    ),
    "WronglungLatencyBudgetBurns": (["rate3d > 0.05"], "for 3 days"),
}
"""Bounds as Prometheus reads them, and as people do."""


def test_bounds_in_words_are_those_of_the_rules() -> None:
    words = {quoted(name)[0]: fires for name, _, _, fires, _ in rows("alert", "severity")}
    groups = yaml.safe_load(repository.read(Path("deploy/prometheus/rules.yml")))["groups"]
    rules = {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"] if "alert" in rule}
    assert {alert for alert, fires in words.items() if re.search(r"\d", fires)} == set(THRESHOLDS)
    for alert, (bounds, said) in THRESHOLDS.items():
        assert all(re.search(re.escape(bound) + r"(?![\d.])", rules[alert]) for bound in bounds), alert
        assert said in words[alert]


def test_the_patience_in_words_is_that_of_the_gateway() -> None:
    assert f"nothing for {load._SHORTEST_PATIENCE_S:g} s; under load for {load._SECONDS_PER_UNIT:g} s for each" in PAGE
    assert f"up to {load._BEFORE_TORCHSERVE:g} of `responseTimeout`" in PAGE
    assert f"after {Patience().sick_s:g} s the supervisor starts TorchServe again" in PAGE
    assert f"cannot get {alignment_handler._BREATH_BYTES >> 20} MiB more" in PAGE
    most = Most()
    bounds = f"{most.calls} calls or {most.streams} streams are open ({most.calls // 2} and {most.streams // 2} of one"
    assert bounds in PAGE
    assert f"or {Terms().held_bytes >> 20} MiB of messages are held" in PAGE


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
