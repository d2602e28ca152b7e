"""docs/bring-your-own-data.md shows what a run file may say, and an example of every kind of data set."""

import re
from pathlib import Path

import yaml

from harness.dataset.catalogue import FORMATS
from harness.runconfig import parse_run_config
from tests import repository

PAGE = repository.read(Path("docs/bring-your-own-data.md"))
EXAMPLES = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
REST = {"name": "mine", "dataset": {"kind": "phantom"}, "models": ["encoder"], "out": "results/mine"}


def test_every_example_may_stand_in_a_run_file() -> None:
    assert EXAMPLES
    for example in EXAMPLES:
        parse_run_config(REST | example, "example")


def test_every_kind_of_data_set_that_is_read_from_files_has_an_example() -> None:
    shown = {example["dataset"]["kind"] for example in EXAMPLES if "dataset" in example}
    assert set(FORMATS) - {"phantom", "real_cxr"} <= shown
