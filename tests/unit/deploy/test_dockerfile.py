"""The Dockerfile lints, keeps the harness free of torch, and agrees with compose and Kubernetes."""

import re
import subprocess

import yaml

from tests import needs, repository

DOCKERFILE = (repository.ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((repository.ROOT / "deploy/compose/compose.yaml").read_text())
KUBERNETES = repository.ROOT / "deploy" / "kubernetes" / "base"


def stage(name: str) -> str:
    """The instructions of one stage."""
    found = re.search(rf"^FROM \S+ AS {name}\n(.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
    assert found, f"there is no stage {name}"
    return found[1]


def test_it_lints() -> None:
    linted = subprocess.run(
        [needs.tool("hadolint"), "Dockerfile"], cwd=repository.ROOT, capture_output=True, text=True, check=False
    )
    assert linted.returncode == 0, linted.stdout


def test_the_harness_is_installed_without_torch() -> None:
    assert "torch" not in stage("build-harness") + stage("harness")


def test_both_images_run_as_nobody_in_particular() -> None:
    for name in ("server", "harness"):
        assert "\nUSER 10001:10001\n" in stage(name)
    assert "runAsUser: 10001" in (KUBERNETES / "server-deployment.yaml").read_text()


def test_compose_builds_stages_that_exist() -> None:
    for name, service in COMPOSE["services"].items():
        if "build" in service:
            assert stage(service["build"]["target"])
            assert service["read_only"] is True, name


def test_java_may_unpack_a_library_in_the_servers_temporary_folder() -> None:
    """Docker mounts a tmpfs with noexec unless told otherwise, and TorchServe does not start there."""
    (mount,) = COMPOSE["services"]["server"]["tmpfs"]
    assert "exec" in mount.split(":")[1].split(",")


def test_the_server_is_started_alike_everywhere() -> None:
    (command,) = re.findall(r"^CMD \[(.*)\]$", stage("server"), re.MULTILINE)
    flags = re.findall(r'"([^"]+)"', command)
    deployment = yaml.safe_load((KUBERNETES / "server-deployment.yaml").read_text())
    assert deployment["spec"]["template"]["spec"]["containers"][0]["args"] == flags
