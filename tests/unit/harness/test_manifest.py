"""Where the numbers came from."""

import re
import subprocess

from harness.manifest import git_commit, make_manifest, versions


def git(folder, *arguments):
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def test_the_commit_says_whether_files_differ(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-q", "-m", "First")
    clean = git_commit(tmp_path)
    assert re.fullmatch("[0-9a-f]{40}", clean)
    (tmp_path / "file").write_text("two")
    assert git_commit(tmp_path) == f"{clean}+changes"


def test_outside_a_checkout_there_is_no_commit(tmp_path):
    assert git_commit(tmp_path) is None


def test_a_checkout_without_a_commit_has_none(tmp_path):
    git(tmp_path, "init", "-q")
    assert git_commit(tmp_path) is None


def test_the_manifest_names_the_versions():
    assert {"python", "numpy", "wronglung"} <= set(versions())
    manifest = make_manifest(name="t")
    assert manifest["name"] == "t"
    assert manifest["versions"]["python"].startswith("3.")
