"""What happens before anything is started."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.repository import ROOT
from tests.serving import random_store
from wronglung import backends, launch
from wronglung.archives import build_archives
from wronglung.console import Console
from wronglung.gateway.security.options import UNPROTECTED, SecurityOptions
from wronglung.launch import ServeOptions


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files; signals are as before when the test is over."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.setenv("WRONGLUNG_HOME", str(ROOT))
    before = signal.getsignal(signal.SIGTERM)
    yield folder
    signal.signal(signal.SIGTERM, before)


def options(store: Path) -> ServeOptions:
    return ServeOptions(
        models=["encoder"],
        model_store=store,
        host="127.0.0.1",
        port=0,
        metrics_host="127.0.0.1",
        metrics_port=0,
        startup_s=1,
        drain_s=1,
        connection_age_s=0,
        java_heap_mb=64,
        log_level="info",
        command=(),
    )


def test_sigterm_while_the_archives_are_built_leaves_nothing_behind(
    temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = build_archives
    seen: list[str] = []

    def interrupted(*args: object) -> None:
        build(*args)  # type: ignore[arg-type]
        seen.extend(each.name for each in temporary.rglob("*.mar"))
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(backends, "build_archives", interrupted)
    with pytest.raises(SystemExit) as end:
        launch.serve(options(random_store(tmp_path / "store")), Console("serve"))
    assert end.value.code == 128 + signal.SIGTERM
    assert seen == ["encoder.mar"]
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("host", "security", "words"),
    [
        ("0.0.0.0", UNPROTECTED, "--insecure"),
        ("127.0.0.1", SecurityOptions(tokens=Path("nowhere.txt")), "^--tokens nowhere.txt: "),
        ("127.0.0.1", SecurityOptions(tokens=ROOT / "README.md"), "^--tokens .*README.md: line 3"),
        (
            "127.0.0.1",
            SecurityOptions(tls_cert=ROOT / "README.md", tls_key=ROOT / "LICENSE"),
            "^--tls-cert .*README.md, --tls-key .*LICENSE: the certificate is no PEM file",
        ),
        ("127.0.0.1", SecurityOptions(tls_cert=Path("no.pem"), tls_key=Path("no.pem")), "^--tls-cert no.pem: "),
    ],
)
def test_what_leaves_a_gap_or_cannot_be_used_is_told_before_anything_is_built(
    temporary: Path, tmp_path: Path, host: str, security: SecurityOptions, words: str
) -> None:
    wanted = replace(options(tmp_path / "no store is looked at"), host=host, security=security)
    with pytest.raises((OSError, ValueError), match=words):
        launch.serve(wanted, Console("serve"))
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("text", [None, "encoder 9.9\n"], ids=["missing", "of what is not served"])
def test_default_versions_that_cannot_be_used_are_named_with_their_flag(
    temporary: Path, tmp_path: Path, text: str | None
) -> None:
    versions = tmp_path / "versions.txt"
    if text is not None:
        versions.write_text(text)
    wanted = replace(options(random_store(tmp_path / "store")), default_versions=versions)
    with pytest.raises((OSError, ValueError), match=f"^--default-versions {versions}: "):
        launch.serve(wanted, Console("serve"))
