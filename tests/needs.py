"""Skips that say in a machine-readable way what was missing: every reason begins with ``needs: NAME``.

`tests/conftest.py` turns such a skip into a failure on a machine that promises to have everything (``CI=true`` or
``WRONGLUNG_CI=1``), except for the names in `ALLOWED_IN_CI`.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import NoReturn

import pytest

ALLOWED_IN_CI = frozenset({"gpu", "latex"})
"""What even a complete test machine may lack."""

PREFIX = "needs: "


def everything_promised() -> bool:
    """Whether this machine promises every tool, so that a skip for want of one is a failure."""
    return any(os.environ.get(name, "").lower() in {"1", "true", "yes"} for name in ("CI", "WRONGLUNG_CI"))


def skip(name: str, why: str = "") -> NoReturn:
    """Skip the running test because `name` (one word: a tool, a device) is missing."""
    pytest.skip(PREFIX + name + (f" ({why})" if why else ""))


def complete_machine(why: str) -> None:
    """Skip what is too heavy for every `make test`, unless this machine promises everything."""
    if not everything_promised():
        skip("ci", f"{why}; set WRONGLUNG_CI=1 to run it")


def tool(name: str, *alternatives: str) -> str:
    """The path of an executable, or of the first alternative that exists; skips when there is none.

    Looks beside the running interpreter first: tools that pip installed, even where `.venv/bin` is not on PATH.
    """
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    for candidate in (name, *alternatives):
        if path := shutil.which(candidate, path=search):
            return path
    skip(name, "not on PATH")


def named_in(reason: str) -> str | None:
    """The name after ``needs:`` in the reason of a skip, or None for a skip of another form."""
    text = reason.removeprefix("Skipped: ")
    if not text.startswith(PREFIX):
        return None
    return text.removeprefix(PREFIX).split(maxsplit=1)[0]
