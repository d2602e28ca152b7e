"""The Dockerfile lints, keeps the harness free of torch, and agrees with compose and Kubernetes."""

import re
import subprocess

import pytest
import yaml

from tests import needs, repository
from wronglung.cli import build_parser
from wronglung.gateway.security.options import SecurityOptions, take_security

DOCKERFILE = (repository.ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((repository.ROOT / "deploy/compose/compose.yaml").read_text())
SECURED = yaml.safe_load((repository.ROOT / "deploy/compose/secured.yaml").read_text())
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
    assert COMPOSE["services"]["server"]["command"] == [*flags, "--insecure"]
    assert SECURED["services"]["server"]["command"][: len(flags)] == flags


def security_of(command: list[str]) -> tuple[SecurityOptions, str]:
    """What a command line of the server says of security, and where it listens."""
    args = build_parser().parse_args(command)
    return take_security(args), args.host


def test_a_container_without_a_word_on_who_may_call_does_not_start() -> None:
    (command,) = re.findall(r"^CMD \[(.*)\]$", stage("server"), re.MULTILINE)
    security, host = security_of(re.findall(r'"([^"]+)"', command))
    with pytest.raises(ValueError, match="--insecure"):
        security.check(host)


def test_plain_compose_is_published_on_this_machine_alone() -> None:
    security, host = security_of(COMPOSE["services"]["server"]["command"])
    security.check(host)
    assert all(port.startswith("127.0.0.1:") for port in COMPOSE["services"]["server"]["ports"])


def test_secured_compose_asks_for_tokens_over_tls() -> None:
    server, harness = SECURED["services"]["server"], SECURED["services"]["harness"]
    security, host = security_of(server["command"])
    security.check(host)
    assert not security.insecure
    assert security.tokens is not None
    for service in (server, harness):
        assert {"WRONGLUNG_TLS_ROOT", "WRONGLUNG_TOKEN_FILE"} <= set(service["environment"])
    assert not any("/server:" in volume for volume in harness["volumes"]), "the server's key is not the harness's"
