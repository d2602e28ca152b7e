"""What a page points to is there."""

import re
from pathlib import Path

import pytest

from tests import repository

PAGES = sorted(path for path in repository.tracked() if path.suffix == ".md")
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]*)\)")


def anchors(page: Path) -> set[str]:
    """Names of a page's headings, as they are pointed to."""
    headings = re.findall(r"^#+ (.+)$", repository.read(page), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(repository.read(page)):
        path, _, anchor = target.partition("#")
        there = (repository.ROOT / page.parent / path).resolve() if path else repository.ROOT / page
        assert there.exists(), target
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there.relative_to(repository.ROOT.resolve())), target
