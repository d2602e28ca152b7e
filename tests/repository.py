"""The files under version control, for the tests that hold rules over all of them."""

import subprocess
from functools import cache
from pathlib import Path

from tests import needs

ROOT = Path(__file__).resolve().parents[1]
GENERATED = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "package-lock.json")
TEXT_SUFFIXES = frozenset(
    {"", ".cfg", ".css", ".html", ".j2", ".js", ".json", ".md", ".mjs", ".properties", ".proto", ".py", ".pyi"}
    | {".sh", ".toml", ".txt", ".xml", ".yaml", ".yml"}
)


@cache
def tracked() -> tuple[Path, ...]:
    """Every tracked file that exists, relative to the root of the repository."""
    if not (ROOT / ".git").exists():
        needs.skip("checkout", "this tree is not a git checkout")
    listed = subprocess.run(
        [needs.tool("git"), "-c", f"safe.directory={ROOT}", "ls-files", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return tuple(path for name in listed.stdout.split("\0") if name and (ROOT / (path := Path(name))).is_file())


def texts() -> list[Path]:
    """The tracked files that people write and read."""
    return [p for p in tracked() if p.suffix in TEXT_SUFFIXES and not p.name.endswith(GENERATED)]


def modules(*folders: str) -> list[Path]:
    """The tracked, hand-written Python files of some top-level folders."""
    return [p for p in texts() if p.suffix == ".py" and p.parts[0] in folders]


def read(path: Path) -> str:
    """The text of a tracked file."""
    return (ROOT / path).read_text(encoding="utf-8")
