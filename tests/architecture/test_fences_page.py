"""docs/torchserve-fences.md names tests that exist, for every fence."""

import re
from pathlib import Path

from tests import repository

PAGE = repository.read(Path("docs/torchserve-fences.md"))
ADVISORIES = repository.read(Path("docs/torchserve-advisories.md"))
ROWS = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("|---")]
GATEWAY = Path("tests/unit/wronglung/gateway")
FILES = {
    "unfenced": Path("tests/integration/serving/test_unfenced_torchserve.py"),
    "traits": Path("tests/integration/serving/test_torchserve_traits.py"),
    "life": Path("tests/integration/serving/test_lifecycle.py"),
    "served": Path("tests/integration/serving/test_served_models.py"),
    "handler": Path("tests/unit/handlers/test_alignment_handler.py"),
    "batches": Path("tests/unit/handlers/test_batches.py"),
    "late": Path("tests/unit/handlers/test_deadlines.py"),
    "settings": Path("tests/unit/wronglung/supervisor/test_torchserve.py"),
    "supervisor": Path("tests/unit/wronglung/supervisor/test_supervisor.py"),
    "archives": Path("tests/unit/wronglung/test_archives.py"),
    "tracing": Path("tests/unit/wronglung/test_tracing.py"),
    "stream": GATEWAY / "test_align_stream.py",
    "whole": GATEWAY / "security/test_whole.py",
}


def file_of(name: str) -> Path:
    return FILES.get(name, GATEWAY / f"test_{name}.py")


def test_every_line_names_a_test_and_every_test_exists() -> None:
    rows = [row for row in ROWS if "what TorchServe does" not in row[0] and "owed" not in row[0]]
    assert len(rows) > 20
    assert [row[0] for row in rows if "::test_" not in row[-1]] == []
    for name, test in re.findall(r"`(\w+)::(test_\w+)`", PAGE + ADVISORIES):
        assert f"def {test}(" in repository.read(file_of(name)), f"{file_of(name)} has no {test}"


def test_every_trait_that_was_shown_without_its_fence_is_on_the_page() -> None:
    shown = re.findall(r"^def (test_\w+)", repository.read(FILES["unfenced"]), re.MULTILINE)
    assert shown
    assert [test for test in shown if f"unfenced::{test}" not in PAGE] == []
