"""The scrape configuration and the alerts are valid, do what their tests say, and speak of metrics that exist."""

import re
import subprocess
from pathlib import Path

import yaml
from prometheus_client import generate_latest

from tests import needs, repository
from wronglung.errors import leaf_errors
from wronglung.gateway.metrics import Metrics

FOLDER = repository.ROOT / "deploy" / "prometheus"
RULES = (FOLDER / "rules.yml").read_text()


def promtool(*arguments: str, text: str | None = None) -> None:
    command = [needs.tool("promtool"), *arguments]
    done = subprocess.run(command, cwd=FOLDER, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_configuration_is_valid() -> None:
    promtool("check", "config", "prometheus.yml")


def test_the_gateways_metrics_are_named_as_prometheus_recommends() -> None:
    promtool("check", "metrics", text=generate_latest(Metrics().registry).decode())


def test_every_alert_fires_when_it_should_and_only_then() -> None:
    promtool("test", "rules", "rules_test.yml")


def test_every_alert_has_a_test() -> None:
    rules = [rule for group in yaml.safe_load(RULES)["groups"] for rule in group["rules"]]
    tested = re.findall(r"alertname: (\w+)", (FOLDER / "rules_test.yml").read_text())
    assert {rule["alert"] for rule in rules if "alert" in rule} == set(tested)


def test_the_rules_use_metrics_and_codes_that_exist() -> None:
    exist = {metric.name for metric in Metrics().registry.collect()}
    used = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in re.findall(r"\bwronglung_\w+", RULES)}
    assert used <= exist
    codes = re.findall(r"ERROR_CODE_(?:\(([A-Z_|]+)\)|([A-Z_]+))", RULES)
    named = {f"ERROR_CODE_{part}" for group in codes for text in group for part in text.split("|") if part}
    assert named
    assert named <= set(leaf_errors())


def test_compose_mounts_the_configuration_where_prometheus_looks() -> None:
    compose = yaml.safe_load((FOLDER.parent / "compose" / "compose.yaml").read_text())
    (mount,) = compose["services"]["prometheus"]["volumes"]
    source, target, mode = mount.split(":")
    assert (FOLDER.parent / "compose" / source).resolve() == FOLDER
    assert (Path(target), mode) == (Path("/etc/prometheus"), "ro")
