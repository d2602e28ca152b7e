"""Decisions are numbered, short, of one form, and listed."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests import repository

FOLDER = Path("docs/decisions")
DECISIONS = sorted(p for p in repository.tracked() if p.parent == FOLDER and p.name != "README.md")


def title(path: Path) -> str:
    """The heading of a decision, without its marks."""
    return repository.read(path).splitlines()[0].removeprefix("# ").strip()


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name)
def test_a_decision_has_a_number_and_the_three_parts_on_one_page(path: Path) -> None:
    assert re.fullmatch(r"\d{4}-[a-z0-9]+(?:-[a-z0-9]+)*\.md", path.name)
    text = repository.read(path)
    assert text.startswith("# ")
    for part in ("Context", "Decision", "Consequences"):
        assert re.search(rf"^#+ {part}$|^\*\*{part}\b", text, re.MULTILINE), f"no part {part!r}"
    assert len(text.splitlines()) <= 40


def test_no_number_is_used_twice() -> None:
    assert [number for number, uses in Counter(p.name[:4] for p in DECISIONS).items() if uses > 1] == []


def test_the_index_lists_every_decision_by_its_title() -> None:
    links = re.findall(r"^- \[(.+)\]\((.+)\)$", repository.read(FOLDER / "README.md"), re.MULTILINE)
    assert links == [(title(path), path.name) for path in DECISIONS]
