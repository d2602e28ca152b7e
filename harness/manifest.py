"""What was run, on what, by which weights, where and when: `manifest.json`."""

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGES = ("numpy", "pyarrow", "scipy")


def git_commit(folder: Path = REPOSITORY) -> str | None:
    """The commit of the checkout that this code runs from, ``+changes`` if files differ; None outside a checkout."""
    git = shutil.which("git")
    if git is None or not (folder / ".git").exists():
        return None
    commit = _git(git, folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    return f"{commit}+changes" if _git(git, folder, "status", "--porcelain", "--untracked-files=no") else commit


def _git(git: str, folder: Path, *arguments: str) -> str | None:
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    command = [git, "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603 fixed words
    return done.stdout.strip() if done.returncode == 0 else None


def versions() -> Mapping[str, str]:
    """Versions of what computed the numbers."""
    found = {"python": platform.python_version()}
    for package in ("wronglung", *PACKAGES):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def now() -> str:
    """The time of day in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def make_manifest(**sections: Any) -> dict[str, Any]:
    """The manifest: the given sections, and where they came from."""
    return {
        "git_commit": git_commit(),
        "versions": dict(versions()),
        "platform": f"{platform.system()} {platform.machine()}",
        **sections,
    }
