"""A misspelt environment variable is told, and those that are documented or read are known."""

import re

import pytest

from tests.repository import ROOT
from wronglung import cli
from wronglung.variables import KNOWN, misspelt


def test_a_misspelt_variable_is_told_with_the_one_that_was_meant() -> None:
    environ = {"WRONGLUNG_TOKENFILE": "dear-to-me", "WRONGLUNG_TLS_ROOT": "ca.pem", "PATH": "/bin"}
    assert list(misspelt(environ)) == ["nothing reads $WRONGLUNG_TOKENFILE: did you mean $WRONGLUNG_TOKEN_FILE?"]


def test_one_that_is_like_none_is_told_as_well() -> None:
    assert list(misspelt({"WRONGLUNG_BACKEND": "plain"})) == ["nothing reads $WRONGLUNG_BACKEND"]


def test_what_our_own_tests_read_is_known() -> None:
    assert list(misspelt({"WRONGLUNG_SHARED": "shared", "WRONGLUNG_CI": "true"})) == []


def test_what_kubernetes_sets_for_a_service_of_our_name_is_nobodys_mistake() -> None:
    names = ("SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_GRPC", "PORT_8500_TCP_ADDR", "PORT_8500_TCP")
    environ = {f"WRONGLUNG_SERVER_{name}": "10.0.0.1" for name in names}
    assert list(misspelt(environ | {"WRONGLUNG_PORT": "tcp://10.0.0.1:8500"})) == []


def test_every_command_tells(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("WRONGLUNG_TLSROOT", "ca.pem")
    cli.main(["models", "--target", "127.0.0.1:1", "--timeout", "1"])
    assert "wronglung: nothing reads $WRONGLUNG_TLSROOT: did you mean $WRONGLUNG_TLS_ROOT?" in capsys.readouterr().err


def test_every_variable_that_we_write_of_is_known() -> None:
    folders = ("docs", "deploy", "wronglung", "harness", "benchmarks")
    files = [
        path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in {".md", ".yaml", ".py"}
    ]
    found = {
        name for path in files for name in re.findall(r"\bWRONGLUNG_([A-Z][A-Z_]*[A-Z])\b", path.read_text("utf-8"))
    }
    assert found
    assert found <= KNOWN
