"""The table of served models."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.gateway_fakes import MODELS
from wronglung.errors import ModelUnknown
from wronglung.served import MODELS_FILE, Catalogue, read_models, write_models

NEWER = replace(MODELS[0], version="2.0")


def test_the_first_of_a_name_is_its_default_version() -> None:
    catalogue = Catalogue([NEWER, *MODELS])
    assert catalogue.find("encoder") == NEWER
    assert catalogue.find("encoder", "1.0") == MODELS[0]
    assert catalogue.models == [MODELS[0], NEWER, MODELS[1]]


def test_a_part_of_a_catalogue_has_the_same_defaults_and_nothing_else() -> None:
    catalogue = Catalogue([MODELS[0], NEWER, MODELS[1]])
    for default in ("1.0", "2.0"):
        catalogue.choose({"encoder": default})
        part = catalogue.only({"encoder", "no such model"})
        assert part.find("encoder").version == default
        assert part.models == [MODELS[0], NEWER]
    with pytest.raises(ModelUnknown, match=r"there are: encoder 1\.0, encoder 2\.0$"):
        part.find("encoder-optout")
    assert catalogue.only([]).models == []


@pytest.mark.parametrize(
    ("name", "version", "field"),
    [("other", "", "model_name"), ("encoder", "9", "model_version"), ("", "", "model_name")],
)
def test_what_is_not_served_is_unknown_and_what_is_served_is_named(name: str, version: str, field: str) -> None:
    with pytest.raises(ModelUnknown, match=r"encoder 1\.0, encoder-optout 1\.0") as caught:
        Catalogue(MODELS).find(name, version)
    assert caught.value.field == field


def test_a_model_listed_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="listed twice"):
        Catalogue([MODELS[0], MODELS[0]])


def test_the_table_survives_its_file(tmp_path: Path) -> None:
    write_models(MODELS, tmp_path)
    assert read_models(tmp_path / MODELS_FILE).models == list(MODELS)


def test_a_table_of_another_kind_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / MODELS_FILE).write_text('[{"name": "encoder"}]')
    with pytest.raises(ValueError, match="Build the archives again"):
        read_models(tmp_path / MODELS_FILE)


@pytest.mark.parametrize("text", [None, "{", "[1]", '[{"name": "encoder"}]'], ids=["missing", "cut", "other", "old"])
def test_a_table_that_cannot_be_used_is_named_with_its_flag(tmp_path: Path, text: str | None) -> None:
    table = tmp_path / MODELS_FILE
    if text is not None:
        table.write_text(text)
    with pytest.raises((OSError, ValueError), match=f"^--models {table}"):
        read_models(table)
