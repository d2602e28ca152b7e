"""docs/limits.md says what wronglung/limits.py says."""

import re
from dataclasses import asdict
from pathlib import Path

from tests import repository
from wronglung.errors import leaf_errors
from wronglung.limits import LIMITS

PAGE = repository.read(Path("docs/limits.md"))


def test_the_page_lists_every_limit_with_its_value() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+)", PAGE, re.MULTILINE)
    listed = {name: int(value.replace(",", "")) for name, value in rows}
    assert listed == {**asdict(LIMITS), "message_bytes": LIMITS.message_bytes}


def test_every_error_named_on_the_page_exists() -> None:
    assert set(re.findall(r"ERROR_CODE_\w+", PAGE)) <= set(leaf_errors())
