"""A recipe says only what differs from its base."""

from pathlib import Path

import pytest
import yaml

from training.recipe_files import read_document
from wronglung.model.errors import ModelFilesError


def write(folder: Path, name: str, document: object) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(yaml.safe_dump(document))
    return path


def test_sections_are_merged_key_by_key_and_lists_are_replaced(tmp_path: Path) -> None:
    write(tmp_path, "base.yaml", {"a": {"x": 1, "y": {"p": 1, "q": 2}}, "list": [1, 2], "kept": True, "gone": {"z": 1}})
    heir = write(
        tmp_path, "heir.yaml", {"base": "base.yaml", "a": {"y": {"q": 3}}, "list": [9], "gone": None, "new": {"n": 0}}
    )
    assert read_document(heir) == {
        "a": {"x": 1, "y": {"p": 1, "q": 3}},
        "list": [9],
        "kept": True,
        "gone": None,
        "new": {"n": 0},
    }


def test_a_base_may_have_a_base_each_relative_to_its_own_folder(tmp_path: Path) -> None:
    write(tmp_path, "first.yaml", {"name": "first", "seed": 1, "batch": 2})
    write(tmp_path, "deeper/second.yaml", {"base": "../first.yaml", "name": "second", "seed": 5})
    assert read_document(write(tmp_path, "third.yaml", {"base": "deeper/second.yaml", "name": "third"})) == {
        "name": "third",
        "seed": 5,
        "batch": 2,
    }


def test_a_circle_is_an_error_that_names_it(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", {"base": "b.yaml"})
    path = write(tmp_path, "b.yaml", {"base": "a.yaml"})
    with pytest.raises(ModelFilesError, match=r"b\.yaml → a\.yaml → b\.yaml"):
        read_document(path)


def test_its_own_base_is_a_circle_too(tmp_path: Path) -> None:
    with pytest.raises(ModelFilesError, match=r"a\.yaml → a\.yaml"):
        read_document(write(tmp_path, "a.yaml", {"base": "a.yaml"}))


@pytest.mark.parametrize(
    ("base", "message"),
    [
        (["a", "b"], "must name one recipe file"),
        (None, "must name one"),
        ("absent.yaml", r"cannot read .*absent\.yaml"),
    ],
)
def test_a_base_that_cannot_be_read_is_named(tmp_path: Path, base: object, message: str) -> None:
    with pytest.raises(ModelFilesError, match=message):
        read_document(write(tmp_path, "a.yaml", {"base": base}))


def test_a_base_without_keys_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "base.yaml", [1])
    with pytest.raises(ModelFilesError, match="no mapping"):
        read_document(write(tmp_path, "a.yaml", {"base": "base.yaml"}))
