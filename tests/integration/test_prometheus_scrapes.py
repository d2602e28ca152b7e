"""A real Prometheus with the shipped configuration scrapes a real server and evaluates the shipped rules."""

import json
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests import needs, repository
from tests.serving import Instance
from wronglung.supervisor.ports import free_ports

pytestmark = pytest.mark.integration

FOLDER = repository.ROOT / "deploy" / "prometheus"


@pytest.fixture(scope="module")
def prometheus(server: Instance, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address. The configuration is the shipped one with this server as the target, scraped every second."""
    folder = tmp_path_factory.mktemp("prometheus")
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(FOLDER / name) for name in config["rule_files"]]
    config["scrape_configs"][0]["static_configs"] = [{"targets": [urllib.parse.urlsplit(server.metrics_url).netloc]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    (port,) = free_ports(1)
    flags = [f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={folder / 'data'}"]
    command = [needs.tool("prometheus"), f"--config.file={folder / 'prometheus.yml'}", *flags]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        yield f"http://127.0.0.1:{port}"
        process.terminate()


def ask(address: str, path: str, **parameters: str) -> Any:
    """One call of its HTTP API; None while it does not answer."""
    try:
        with urllib.request.urlopen(f"{address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}") as answer:
            return json.load(answer)["data"]
    except OSError:
        return None


def eventually(address: str, path: str, key: str, **parameters: str) -> list[dict[str, Any]]:
    """The first answer that is not empty."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if (data := ask(address, path, **parameters)) and data[key]:
            return list(data[key])
        time.sleep(0.5)
    raise AssertionError(f"{path} stayed empty for {parameters}")


def test_it_sees_every_model_ready(prometheus: str, server: Instance) -> None:
    series = eventually(prometheus, "query", "result", query="wronglung_model_ready == 1")
    assert {one["metric"]["model"] for one in series} == set(server.models)


def test_it_sees_torchserves_own_page_too(prometheus: str) -> None:
    assert eventually(prometheus, "query", "result", query="ts_inference_requests_total > 0")


def test_every_rule_is_evaluated_without_error(prometheus: str) -> None:
    eventually(prometheus, "query", "result", query="wronglung_model_ready")
    shipped = yaml.safe_load((FOLDER / "rules.yml").read_text())["groups"]
    rules = [rule for group in eventually(prometheus, "rules", "groups") for rule in group["rules"]]
    assert len(rules) == sum(len(group["rules"]) for group in shipped)
    assert [rule["name"] for rule in rules if rule.get("lastError")] == []
    assert [rule["name"] for rule in rules if rule.get("state") == "firing"] == []
