"""A model's files appear whole, with the same rights for everyone, or not at all."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from wronglung.model.errors import ModelFilesError
from wronglung.model.files import new_file, new_folder, write_file
from wronglung.model.random_model import create_random_model


@pytest.fixture(params=[0o022, 0o077, 0o000])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> str:
    return oct(path.stat().st_mode & 0o777)


@pytest.mark.usefixtures("umask")
def test_whoever_serves_a_model_can_read_it(tmp_path: Path) -> None:
    create_random_model(tmp_path / "store" / "model", opt_out=False)
    paths = list((tmp_path / "store").rglob("*"))
    assert {mode(path) for path in paths if path.is_file()} == {"0o644"}
    assert {mode(path) for path in paths if path.is_dir()} == {"0o755"}


@pytest.mark.usefixtures("umask")
def test_a_new_folder_has_the_usual_rights(tmp_path: Path) -> None:
    with new_folder(tmp_path / "model", replace=False) as folder:
        write_file(folder / "config.json", b"{}")
    assert mode(tmp_path / "model") == "0o755"


def test_a_failure_leaves_a_file_as_it_was(tmp_path: Path) -> None:
    write_file(tmp_path / "a", b"old")

    def fail_half_way() -> None:
        with new_file(tmp_path / "a") as file:
            file.write(b"half")
            raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        fail_half_way()
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_a_failure_leaves_no_folder(tmp_path: Path) -> None:
    def fail_half_way() -> None:
        with new_folder(tmp_path / "model", replace=False) as folder:
            write_file(folder / "weights.safetensors", b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_half_way()
    assert list(tmp_path.iterdir()) == []


def test_a_model_is_replaced_only_when_asked_to(tmp_path: Path) -> None:
    write_file(tmp_path / "model" / "config.json", b"old")
    with pytest.raises(ModelFilesError, match="--force"), new_folder(tmp_path / "model", replace=False):
        pass
    with new_folder(tmp_path / "model", replace=True) as folder:
        write_file(folder / "config.json", b"new")
    assert [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()] == [b"new"]


def test_a_folder_that_is_no_model_is_never_replaced(tmp_path: Path) -> None:
    write_file(tmp_path / "letters" / "a.txt", b"dear")
    with pytest.raises(ModelFilesError, match="no model's folder"), new_folder(tmp_path / "letters", replace=True):
        pass
    assert (tmp_path / "letters" / "a.txt").read_bytes() == b"dear"


def test_an_empty_folder_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    with new_folder(tmp_path / "model", replace=False) as folder:
        write_file(folder / "config.json", b"{}")
    assert (tmp_path / "model" / "config.json").is_file()
