"""``wronglung token``."""

import stat
from pathlib import Path

import pytest

from wronglung.cli import main
from wronglung.gateway.security.callers import Caller
from wronglung.gateway.security.tokens import make_tokens


def test_a_token_is_made_for_its_caller_alone_and_the_server_knows_it_by_the_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "ward.token"
    assert main(["token", "ward-3", str(file), "--models", "encoder"]) == 0
    token, said = file.read_text().strip(), capsys.readouterr()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(token) >= 43
    assert token not in said.out + said.err
    assert make_tokens(said.out.encode()).find(token) == Caller("ward-3", frozenset({"encoder"}))


def test_two_tokens_differ_and_one_that_is_there_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = []
    for name in ("a", "b", "a"):
        assert main(["token", "ward", str(tmp_path / name)]) == 0
        lines.append(capsys.readouterr().out)
    assert lines[0] == lines[2] != lines[1]


@pytest.mark.parametrize("content", ["", "short", "with a blank " * 9, "ä" * 40])
def test_what_is_no_good_secret_is_refused_and_not_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    file = tmp_path / "poor"
    file.write_text(content, encoding="utf-8")
    assert main(["token", "ward", str(file)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "no token of at least 32" in said.err
    assert not content or content not in said.err


@pytest.mark.parametrize("arguments", [["ward 3"], ["-x-"], ["#ward"], ["ward", "--models", "one two"]])
def test_what_the_server_would_not_take_is_refused(tmp_path: Path, arguments: list[str]) -> None:
    file = tmp_path / "token"
    name, *others = arguments
    assert main(["token", *others, "--", name, str(file)]) == 1
    assert not file.exists()


def test_an_empty_list_of_models_is_not_all_of_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "ward-3", str(tmp_path / "token"), "--models", ""]) == 1
    assert "names no model" in capsys.readouterr().err
    assert not (tmp_path / "token").exists()
