"""docs/subsets.md lists every subset, family and fact as it is declared, and its examples are read."""

import re
from pathlib import Path

import yaml

from harness.subsets import MOST_DIVERSE, SUBSETS, check_subsets
from harness.subsets.catalogue import MOST_VALUES
from harness.subsets.expression import parse
from harness.subsets.facts import FACTS, Fact
from harness.subsets.strata import FAMILIES, Family
from tests import repository

PAGE = repository.read(Path("docs/subsets.md"))
TYPES = {"truth": "true or false", "number": "number", "word": "text", "words": "set of texts"}


def table(name: str) -> list[str]:
    """The rows of a table between marks."""
    block = PAGE.split(f"<!-- {name} -->\n")[1].split(f"<!-- /{name} -->")[0]
    return block.splitlines()[2:]


def family_row(family: Family) -> str:
    values = "; ".join(f"`{value}`: {meaning}" for value, meaning in family.values.items())
    return f"| `{family.name}` | {family.meaning} | {values or 'those that the data set has'} |"


def fact_row(fact: Fact) -> str:
    values = ", ".join(f"`'{value}'`" for value in fact.values) or fact.span or "–"
    return f"| `{fact.name}` | {TYPES[fact.kind]} | {values} | {fact.meaning} |"


def test_the_families_are_those_that_are_declared() -> None:
    assert table("families") == [family_row(family) for family in FAMILIES]
    assert f"more than {MOST_VALUES} values" in PAGE


def test_the_facts_are_those_that_are_declared() -> None:
    assert table("facts") == [fact_row(fact) for fact in FACTS]


def test_every_named_subset_is_on_the_page() -> None:
    section = PAGE.split("\n## By name\n")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `([^`]+)`", section, re.MULTILINE)) == {*SUBSETS, MOST_DIVERSE, "key=value"}


def test_the_examples_are_run_files_that_are_read() -> None:
    examples = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
    assert len(examples) == 2
    for example in examples:
        check_subsets(example["subsets"], example.get("strata", ()))


def test_the_expressions_on_the_page_are_read() -> None:
    for text in ("side in ['left', 'right']", "strata['view'] == 'AP'", "3 <= word_count < 6", "'opacit' in text"):
        assert text in PAGE
        parse(text)
