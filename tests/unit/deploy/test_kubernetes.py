"""The manifests render, are valid, and say the same as the rest of the project."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from harness.cli import parser as cli_parser
from harness.collect.shards import Shard
from harness.results import RunDirectory
from tests import needs, repository
from wronglung.cli import build_parser
from wronglung.gateway.load import Capacity
from wronglung.gateway.metrics import Metrics
from wronglung.gateway.security.options import SecurityOptions, take_security

FOLDER = repository.ROOT / "deploy" / "kubernetes"
OVERLAYS = sorted(path.parent for path in FOLDER.glob("overlays/*/kustomization.yaml"))
VERSION = "1.32"
HEALTH_OF_ALL_MODELS = "wronglung.v1.AlignmentService"

Manifest = dict[str, Any]


def render(folder: Path) -> str:
    """What `kubectl apply -k` would apply."""
    command = [needs.tool("kubectl"), "kustomize", str(folder)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(params=OVERLAYS, ids=lambda path: path.name)
def rendered(request: pytest.FixtureRequest) -> str:
    return render(request.param)


@pytest.fixture
def manifests(rendered: str) -> list[Manifest]:
    return list(yaml.safe_load_all(rendered))


def pods(manifests: list[Manifest]) -> Iterator[tuple[dict[str, str], Manifest]]:
    """Labels and specification of every pod that a manifest would start."""
    for manifest in manifests:
        spec = manifest.get("spec", {})
        template = spec.get("template") or spec.get("jobTemplate", {}).get("spec", {}).get("template")
        if template:
            yield template["metadata"]["labels"], template["spec"]


def one(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    (found,) = [m for m in manifests if (m["kind"], m["metadata"]["name"]) == (kind, name)]
    return found


def test_there_is_an_overlay_without_gpus() -> None:
    assert FOLDER / "overlays" / "cpu" in OVERLAYS


def test_every_manifest_is_valid(rendered: str, tmp_path: Path) -> None:
    file = tmp_path / "rendered.yaml"
    file.write_text(rendered)
    command = [needs.tool("kubernetes-validate"), "-k", VERSION, "--strict", str(file)]
    validated = subprocess.run(command, capture_output=True, text=True, check=False)
    assert validated.returncode == 0, validated.stdout + validated.stderr


def test_every_container_is_confined(manifests: list[Manifest]) -> None:
    specs = [spec for _, spec in pods(manifests)]
    assert len(specs) >= 2
    for spec in specs:
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {"cpu", "memory"} <= set(container["resources"]["requests"])
            assert "memory" in container["resources"]["limits"]
            assert container["image"].count(":") == 1, "an image without a tag is whatever was built last"


def test_a_server_is_ready_when_every_model_is(manifests: list[Manifest]) -> None:
    (server,) = one(manifests, "Deployment", "wronglung-server")["spec"]["template"]["spec"]["containers"]
    plaintext = security_of(server).probe_port or 8500
    for probe in ("startupProbe", "readinessProbe"):
        assert server[probe]["grpc"] == {"port": plaintext, "service": HEALTH_OF_ALL_MODELS}
    assert plaintext in [port["containerPort"] for port in server["ports"]]
    assert server["startupProbe"]["periodSeconds"] * server["startupProbe"]["failureThreshold"] >= 300


def test_servers_are_scaled_by_metrics_that_exist_and_by_nothing_else() -> None:
    manifests = list(yaml.safe_load_all(render(FOLDER / "overlays" / "scaled")))
    scaled = one(manifests, "ScaledObject", "wronglung-server")["spec"]
    server = one(manifests, scaled["scaleTargetRef"].get("kind", "Deployment"), scaled["scaleTargetRef"]["name"])
    assert "replicas" not in server["spec"]
    work, refusals = (trigger["metadata"] for trigger in scaled["triggers"])
    metrics = set(re.findall(r"\bwronglung_\w+", work["query"] + refusals["query"]))
    assert len(metrics) == 3
    declared = {each._name for each in vars(Metrics()).values() if isinstance(each, MetricWrapperBase)}
    assert {metric.removesuffix("_total") for metric in metrics} <= declared
    assert int(work["threshold"]) < Capacity.for_model(1, batch_size=8, queue_size=100).total.requests
    assert work["ignoreNullValues"] == refusals["ignoreNullValues"] == "false"


def test_what_is_scraped_bears_the_name_that_alerts_ask_for() -> None:
    manifests = list(yaml.safe_load_all(render(FOLDER / "overlays" / "scaled")))
    monitor, service = (one(manifests, kind, "wronglung-server") for kind in ("ServiceMonitor", "Service"))
    labels = service["metadata"]["labels"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert {each["port"] for each in monitor["spec"]["endpoints"]} <= {
        each["name"] for each in service["spec"]["ports"]
    }
    job = labels[monitor["spec"]["jobLabel"]]
    assert f'up{{job="{job}"}}' in repository.read(Path("deploy/prometheus/rules.yml"))
    for trigger in one(manifests, "ScaledObject", "wronglung-server")["spec"]["triggers"]:
        assert f'job="{job}"' in trigger["metadata"]["query"]


def test_a_sick_model_does_not_kill_the_pod(manifests: list[Manifest]) -> None:
    (server,) = one(manifests, "Deployment", "wronglung-server")["spec"]["template"]["spec"]["containers"]
    assert server["livenessProbe"].get("grpc", {}).get("service") != HEALTH_OF_ALL_MODELS


def test_there_is_time_to_drain(manifests: list[Manifest]) -> None:
    pod = one(manifests, "Deployment", "wronglung-server")["spec"]["template"]["spec"]
    announced = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    drains_s = 30 + 30  # requests in flight, then TorchServe
    assert pod["terminationGracePeriodSeconds"] >= announced + drains_s


def test_the_service_is_headless_and_finds_the_server(manifests: list[Manifest]) -> None:
    service = one(manifests, "Service", "wronglung-server")["spec"]
    labels = next(labels for labels, spec in pods(manifests) if spec["containers"][0]["name"] == "server")
    assert service["clusterIP"] == "None"
    assert service["selector"].items() <= labels.items()


def test_whatever_is_not_listed_is_denied(manifests: list[Manifest]) -> None:
    deny = one(manifests, "NetworkPolicy", "wronglung-default-deny")["spec"]
    assert set(deny["policyTypes"]) == {"Ingress", "Egress"}
    assert not deny.get("ingress")
    assert not deny.get("egress")
    assert all(deny["podSelector"]["matchLabels"].items() <= labels.items() for labels, _ in pods(manifests))


def test_the_nightly_job_may_call_the_server(manifests: list[Manifest]) -> None:
    server = one(manifests, "NetworkPolicy", "wronglung-server")["spec"]["ingress"][0]["from"][0]
    nightly = next(labels for labels, spec in pods(manifests) if spec["containers"][0]["name"] == "harness")
    assert server["podSelector"]["matchLabels"].items() <= nightly.items()


def test_every_night_writes_to_a_folder_of_its_own(manifests: list[Manifest]) -> None:
    (harness,) = one(manifests, "CronJob", "wronglung-nightly")["spec"]["jobTemplate"]["spec"]["template"]["spec"][
        "containers"
    ]
    assert harness["args"][-1] == "out=/results/$(JOB_NAME)"
    assert "--resume" in harness["args"]


@pytest.mark.parametrize(
    ("deployed", "shipped"),
    [("nightly.yaml", "harness/runs/nightly.yaml"), ("nightly-gate.yaml", "harness/gates/nightly.yaml")],
)
def test_the_nightly_run_and_its_gate_are_those_of_the_harness(deployed: str, shipped: str) -> None:
    assert (FOLDER / "base" / deployed).read_text() == (repository.ROOT / shipped).read_text()


def test_a_broken_gate_fails_the_nightly_job_at_once(manifests: list[Manifest]) -> None:
    job = one(manifests, "CronJob", "wronglung-nightly")["spec"]["jobTemplate"]["spec"]
    (harness,) = job["template"]["spec"]["containers"]
    (rule,) = job["podFailurePolicy"]["rules"]
    assert rule["action"] == "FailJob"
    assert rule["onExitCodes"]["values"] == [1], "2 may be a server that went away: try again"
    assert rule["onExitCodes"]["containerName"] == harness["name"]
    (mount,) = [mount["mountPath"] for mount in harness["volumeMounts"] if mount["name"] == "runs"]
    assert f"--gate={mount}/nightly-gate.yaml" in harness["args"]


def security_of(server: Manifest) -> SecurityOptions:
    """What the container's command line says of security; it must not contradict itself."""
    args = build_parser().parse_args(server["args"])
    security = take_security(args)
    security.check(args.host)
    return security


def test_every_overlay_says_who_may_call(manifests: list[Manifest]) -> None:
    (server,) = one(manifests, "Deployment", "wronglung-server")["spec"]["template"]["spec"]["containers"]
    assert security_of(server).insecure is (security_of(server).tokens is None)


@pytest.fixture
def secured() -> list[Manifest]:
    return list(yaml.safe_load_all(render(FOLDER / "overlays" / "secured")))


def mounted(pod: Manifest) -> dict[str, Manifest]:
    """Folder → the Secret that is mounted there."""
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounts = pod["containers"][0]["volumeMounts"]
    assert not any("subPath" in mount for mount in mounts), "what is mounted by subPath is never renewed"
    found = {mount["mountPath"]: volumes[mount["name"]] for mount in mounts}
    return {path: volume["secret"] for path, volume in found.items() if "secret" in volume}


def test_a_secured_server_finds_its_files_in_secrets(secured: list[Manifest]) -> None:
    pod = one(secured, "Deployment", "wronglung-server")["spec"]["template"]["spec"]
    security = security_of(pod["containers"][0])
    for path in (security.tls_cert, security.tls_key, security.tokens):
        assert path is not None
        assert str(path.parent) in mounted(pod)
    assert security.probe_host == "0.0.0.0"


@pytest.fixture
def secured_and_sharded(tmp_path: Path) -> list[Manifest]:
    """An overlay of somebody's own with both components."""
    parts = {"resources": ["base"], "components": ["components/cpu", "components/sharded-run", "components/secured"]}
    tree = {kind: [os.path.relpath(FOLDER / path, tmp_path) for path in paths] for kind, paths in parts.items()}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(tree))
    return list(yaml.safe_load_all(render(tmp_path)))


def nightly_pod(manifests: list[Manifest]) -> Manifest:
    job: Manifest = one(manifests, "CronJob", "wronglung-nightly")["spec"]["jobTemplate"]
    return job["spec"]["template"]["spec"]


def shards_pod(manifests: list[Manifest]) -> Manifest:
    return one(manifests, "Job", "wronglung-shards")["spec"]["template"]["spec"]


@pytest.mark.parametrize("pod_of", [nightly_pod, shards_pod])
def test_a_job_shows_a_token_and_has_no_key_of_the_server(
    secured_and_sharded: list[Manifest], pod_of: Callable[[list[Manifest]], Manifest]
) -> None:
    pod = pod_of(secured_and_sharded)
    paths = {each["name"]: Path(each["value"]) for each in pod["containers"][0]["env"] if "value" in each}
    secrets = mounted(pod)
    assert secrets[str(paths["WRONGLUNG_TOKEN_FILE"].parent)]["secretName"] == "wronglung-nightly-token"
    server = secrets[str(paths["WRONGLUNG_TLS_ROOT"].parent)]
    assert [item["path"] for item in server["items"]] == [paths["WRONGLUNG_TLS_ROOT"].name] == ["ca.crt"]


@pytest.fixture
def sharded() -> list[Manifest]:
    return list(yaml.safe_load_all(render(FOLDER / "overlays" / "sharded")))


def harness_of(manifests: list[Manifest], job: str, index: int = 0) -> tuple[list[str], dict[str, str]]:
    """The arguments of a Job's container in the pod of an index, with its variables filled in as Kubernetes does, and
    these variables."""
    (container,) = one(manifests, "Job", job)["spec"]["template"]["spec"]["containers"]
    variables = {each["name"]: each.get("value", str(index)) for each in container["env"]}
    filled = [re.sub(r"\$\((\w+)\)", lambda name: variables[name[1]], each) for each in container["args"]]
    return filled, variables


def test_there_is_a_pod_for_every_shard(sharded: list[Manifest]) -> None:
    spec = one(sharded, "Job", "wronglung-shards")["spec"]
    _, variables = harness_of(sharded, "wronglung-shards")
    assert spec["completionMode"] == "Indexed"
    assert spec["completions"] == spec["parallelism"] == int(variables["SHARDS"])
    for index in range(spec["completions"]):
        options = cli_parser().parse_args(harness_of(sharded, "wronglung-shards", index)[0])
        assert options.shard == Shard(spec["completions"], index)
        assert options.resume


def test_the_index_of_a_pod_is_read_from_where_kubernetes_puts_it(sharded: list[Manifest]) -> None:
    (container,) = one(sharded, "Job", "wronglung-shards")["spec"]["template"]["spec"]["containers"]
    (index,) = [each for each in container["env"] if each["name"] == "JOB_COMPLETION_INDEX"]
    path = index["valueFrom"]["fieldRef"]["fieldPath"]
    assert path == "metadata.annotations['batch.kubernetes.io/job-completion-index']"


def test_shards_are_merged_from_where_they_are_written(sharded: list[Manifest]) -> None:
    written = cli_parser().parse_args(harness_of(sharded, "wronglung-shards")[0])
    merged = cli_parser().parse_args(harness_of(sharded, "wronglung-merge")[0])
    assert written.set == [f"out={merged.output}"]
    assert merged.shards == [RunDirectory(merged.output).shards]
    assert one(sharded, "Job", "wronglung-merge")["spec"]["suspend"] is True


def test_shards_lie_on_a_volume_that_many_nodes_write_to(sharded: list[Manifest]) -> None:
    assert one(sharded, "PersistentVolumeClaim", "wronglung-shards")["spec"]["accessModes"] == ["ReadWriteMany"]
    for job in ("wronglung-shards", "wronglung-merge"):
        volumes = one(sharded, "Job", job)["spec"]["template"]["spec"]["volumes"]
        assert {"name": "results", "persistentVolumeClaim": {"claimName": "wronglung-shards"}} in volumes


def test_shards_read_the_run_file_that_is_deployed(sharded: list[Manifest]) -> None:
    (runs,) = [m["metadata"]["name"] for m in sharded if m["kind"] == "ConfigMap"]
    volumes = one(sharded, "Job", "wronglung-shards")["spec"]["template"]["spec"]["volumes"]
    assert {"name": "runs", "configMap": {"name": runs}} in volumes
