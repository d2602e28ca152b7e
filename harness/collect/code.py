"""The code that makes rows, as one digest: parts that other code made are not mixed with this code's."""

import functools
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from harness.manifest import versions

ROOT = Path(__file__).resolve().parents[2]
DECIDES_ROWS = (
    "harness/case.py",
    "harness/collect",
    "harness/diversity.py",
    "harness/laterality.py",
    "harness/mask.py",
    "harness/meaning.py",
    "harness/metrics",
    "harness/nouns.py",
    "harness/perturbation",
    "harness/sources",
    "harness/statements.py",
    "harness/subsets",
    "wronglung/alignment.py",
    "wronglung/geometry.py",
    "wronglung/images",
    "wronglung/limits.py",
    "wronglung/v1",
    "wronglung/wire.py",
)
"""What turns a record and an answer into a row. Not in it: readers of data sets, for what they read is in the data
set's digest; the client, which carries answers unchanged; and the summary, which is always made of all parts anew."""


@functools.cache
def code_digest() -> str:
    """SHA-256 in hex over the source of what makes rows, and the versions of the packages that compute for it."""
    sha = hashlib.sha256(json.dumps(dict(versions()), sort_keys=True).encode())
    for file in deciding_files():
        sha.update(f"\n{file.relative_to(ROOT).as_posix()}\n".encode())
        sha.update(file.read_bytes())
    return sha.hexdigest()


def deciding_files() -> Iterator[Path]:
    """The source files, in order of their paths."""
    for name in DECIDES_ROWS:
        path = ROOT / name
        yield from sorted(path.rglob("*.py")) if path.is_dir() else (path,)
