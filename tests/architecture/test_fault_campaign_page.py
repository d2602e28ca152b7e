"""docs/fault-campaign.md is of a whole campaign: a row for each kind of fault, as the command writes it."""

import re
from pathlib import Path

from benchmarks.faults.kinds import KINDS
from benchmarks.faults.report import as_markdown
from benchmarks.faults.stage import Result
from tests import repository

PAGE = repository.read(Path("docs/fault-campaign.md"))
ROWS = {name.strip(): cells.split(" | ") for name, cells in re.findall(r"^\| ([^|:]+) \| (.*) \|$", PAGE, re.MULTILINE)}


def test_its_table_has_the_columns_of_the_command() -> None:
    empty = as_markdown(Result([], 0, {}, 0, [], {}))
    head = next(line for line in empty.splitlines() if line.startswith("| fault |"))
    assert head in PAGE.splitlines()


def test_every_kind_of_fault_is_in_it() -> None:
    assert {kind.name for kind in KINDS} <= set(ROWS)


def test_it_is_of_a_hundred_faults() -> None:
    counts = {kind.name: int(ROWS[kind.name][0]) for kind in KINDS}
    assert sum(counts.values()) == int(ROWS["all"][0]) >= 100
