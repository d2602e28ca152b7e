"""What the digest of the code covers."""

import json
import subprocess
import sys
from pathlib import Path

from harness.collect import code

WITHOUT_SAY = {
    "harness",
    "harness.collect.code",
    "harness.dataset",
    "harness.dataset.base",  # what readers read is in the data set's digest
    "harness.manifest",  # its versions are in the digest by value
    "harness.progress",
    "harness.ratings",  # for the summary
    "harness.results",  # how files are written
    "harness.runconfig",  # its values are in the fingerprint
    "harness.servers",  # which server is asked: its models' weights are in the fingerprint
    "harness.settings",
    "wronglung",
    "wronglung.address",
    "wronglung.errors",
    "wronglung.client",  # carries answers as they are
    "wronglung.keys",  # what is said of a wrong key
}
"""Modules that the collecting of parts imports and that decide no row."""


def imported() -> list[str]:
    """Our modules that are loaded with the one that makes parts."""
    script = "import harness.collect.parts, sys, json; print(json.dumps([m for m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=code.ROOT)
    return [name for name in json.loads(done.stdout) if name.split(".")[0] in ("harness", "wronglung")]


def test_all_that_makes_rows_is_covered():
    covered = {file.relative_to(code.ROOT).with_suffix("").as_posix() for file in code.deciding_files()}
    names = {name.removesuffix("/__init__").replace("/", ".") for name in covered}
    assert {
        n for n in imported() if n not in names and ".".join(n.split(".")[:2]) not in WITHOUT_SAY | names
    } <= WITHOUT_SAY


def test_other_source_or_another_version_is_another_digest(tmp_path, monkeypatch):
    (tmp_path / "harness").mkdir()
    source = tmp_path / "harness" / "case.py"
    source.write_text("A = 1\n")
    monkeypatch.setattr(code, "ROOT", tmp_path)
    monkeypatch.setattr(code, "DECIDES_ROWS", ("harness",))
    digests = set()
    for text, numpy in (("A = 1\n", "2.0"), ("A = 2\n", "2.0"), ("A = 2\n", "2.1")):
        source.write_text(text)
        monkeypatch.setattr(code, "versions", lambda numpy=numpy: {"numpy": numpy})
        code.code_digest.cache_clear()
        digests.add(code.code_digest())
    code.code_digest.cache_clear()
    assert len(digests) == 3


def test_every_path_of_the_list_is_there():
    assert [name for name in code.DECIDES_ROWS if not Path(code.ROOT, name).exists()] == []
