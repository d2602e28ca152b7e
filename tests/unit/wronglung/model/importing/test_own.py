"""A model trained here is checked as at every load, then copied."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from wronglung.model.checkpoint import load_checkpoint
from wronglung.model.errors import ModelFilesError
from wronglung.model.importing.own import import_own
from wronglung.model.random_model import create_random_model


@pytest.fixture
def best(tmp_path: Path) -> Path:
    create_random_model(tmp_path / "run" / "best", opt_out=True)
    return tmp_path / "run" / "best"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_directory_is_copied_as_it_is(best: Path, tmp_path: Path) -> None:
    (best / "CARD.md").write_text("# mine")
    (best / "notes.txt").write_text("not part of a model")
    import_own(best, tmp_path / "store" / "mine", version=None, replace=False)
    copied = contents(tmp_path / "store" / "mine")
    assert copied.keys() == {*contents(best)} - {"notes.txt"}
    assert all(contents(best)[name] == data for name, data in copied.items() if name != "config.json")
    assert load_checkpoint(tmp_path / "store" / "mine").config == load_checkpoint(best).config


def test_progress_tells_every_byte(best: Path, tmp_path: Path) -> None:
    done: list[int] = []
    sizes: list[int] = []

    def watch(_: str, size: int) -> Callable[[int], object]:
        sizes.append(size)
        return done.append

    import_own(best, tmp_path / "mine", version=None, replace=False, progress=watch)
    assert sum(done) == sum(sizes) > (best / "weights.safetensors").stat().st_size


def test_a_new_version_is_written_into_the_copy_alone(best: Path, tmp_path: Path) -> None:
    import_own(best, tmp_path / "mine", version="3.0", replace=False)
    assert load_checkpoint(tmp_path / "mine").config.version == "3.0"
    assert load_checkpoint(best).config.version == "1.0"


def test_a_directory_without_settings_for_the_server_gets_some(best: Path, tmp_path: Path) -> None:
    (best / "model-config.yaml").unlink()
    import_own(best, tmp_path / "mine", version=None, replace=False)
    assert "responseTimeout" in (tmp_path / "mine" / "model-config.yaml").read_text()


@pytest.mark.parametrize("name", ["config.json", "weights.safetensors", "tokenizer/tokenizer.json"])
def test_a_damaged_directory_is_refused_and_nothing_is_left(best: Path, tmp_path: Path, name: str) -> None:
    (best / name).write_bytes(b"damaged")
    with pytest.raises(ModelFilesError):
        import_own(best, tmp_path / "store" / "mine", version=None, replace=False)
    assert not (tmp_path / "store").exists()


def test_a_model_is_replaced_only_when_asked_to(best: Path, tmp_path: Path) -> None:
    import_own(best, tmp_path / "mine", version=None, replace=False)
    with pytest.raises(ModelFilesError, match="--force"):
        import_own(best, tmp_path / "mine", version="2.0", replace=False)
    import_own(best, tmp_path / "mine", version="2.0", replace=True)
    assert json.loads((tmp_path / "mine" / "config.json").read_text())["version"] == "2.0"


def test_a_model_is_not_copied_onto_itself(best: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelFilesError, match="choose another name"):
        import_own(best, best, version=None, replace=True)
    shutil.copytree(best, tmp_path / "copy")
    assert contents(best) == contents(tmp_path / "copy")
