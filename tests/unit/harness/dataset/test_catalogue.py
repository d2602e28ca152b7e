"""Data sets by their configuration, and by their name on a command line."""

from pathlib import Path
from typing import get_args

import pytest

from harness.dataset.catalogue import FORMATS, open_dataset, parse_dataset
from harness.dataset.config import AnyDatasetConfig, JsonlConfig, PhantomConfig, RealCxrConfig
from harness.settings import ConfigError


def test_every_kind_that_a_run_file_may_name_can_be_opened():
    assert {form.config for form in FORMATS.values()} == set(get_args(AnyDatasetConfig))
    for kind, form in FORMATS.items():
        assert get_args(form.config.model_fields["kind"].annotation) == (kind,)


@pytest.mark.parametrize(("kind", "form"), FORMATS.items())
def test_the_example_of_a_kind_names_it(kind, form):
    assert parse_dataset(form.example).kind == kind
    assert form.main in form.config.model_fields


@pytest.mark.parametrize(
    ("text", "config"),
    [
        ("phantom", PhantomConfig(kind="phantom")),
        ("phantom:train", PhantomConfig(kind="phantom", split="train")),
        ("phantom:train,patients=3,seed=7", PhantomConfig(kind="phantom", split="train", patients=3, seed=7)),
        ("real_cxr", RealCxrConfig(kind="real_cxr")),
        ("real_cxr:there", RealCxrConfig(kind="real_cxr", root=Path("there"))),
        ("jsonl:a.jsonl,inclusive_maxima=true", JsonlConfig(kind="jsonl", path=Path("a.jsonl"), inclusive_maxima=True)),
        ("my,own=file.jsonl", JsonlConfig(kind="jsonl", path=Path("my,own=file.jsonl"))),
    ],
)
def test_a_name_on_the_command_line_says_what_a_run_file_would(text, config):
    assert parse_dataset(text) == config


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("phantom:test,patient=3", "patient: unknown key: did you mean 'patients'?"),
        ("phantom:test,patients", "write 'patients' as key=value"),
        ("phantom:test,patients=[", "'patients' is no YAML"),
        ("jsonl", "path: Field required"),
        ("mscxr:MS_CXR.csv,images=there", "no kind of data set 'mscxr': did you mean 'ms_cxr'?"),
    ],
)
def test_a_wrong_setting_is_named(text, words):
    with pytest.raises(ConfigError) as caught:
        parse_dataset(text)
    assert words in str(caught.value)


def test_what_cannot_be_opened_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.jsonl"):
        open_dataset(JsonlConfig(kind="jsonl", path=tmp_path / "none.jsonl"))
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(ConfigError, match="no usable image"):
        open_dataset(JsonlConfig(kind="jsonl", path=tmp_path / "empty.jsonl"))
