"""A clock that can be made to jump, for the processes of one server: `clock.c`, loaded before their own libraries."""

import mmap
import platform
import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

_SOURCE = Path(__file__).with_name("clock.c")
_FORM = struct.Struct("=q")


class Clock:
    """The time of day as a server sees it; the monotonic clock goes on as ever, as it does when a clock is set.

    Args:
        folder: for the library and the file by which the processes are told at once how much the time is off.
    """

    def __init__(self, folder: Path) -> None:
        self._library, self._file = folder / "clock.so", folder / "clock"
        self._file.write_bytes(_FORM.pack(0))
        self._missing = self._build()

    def _build(self) -> str:
        compiler = shutil.which("cc")
        if compiler is None or platform.libc_ver()[0] != "glibc":
            return "no C compiler, or another C library than glibc"
        built = subprocess.run(
            [compiler, "-shared", "-fPIC", "-O2", str(_SOURCE), "-o", str(self._library), "-ldl", "-lpthread"],
            capture_output=True,
            text=True,
            check=False,
        )
        return "" if built.returncode == 0 else f"clock.c does not build: {built.stderr.strip()[:200]}"

    def missing(self) -> str:
        """Why it cannot be had, or nothing."""
        return self._missing

    def environment(self) -> Mapping[str, str]:
        """Variables for the server."""
        return {} if self._missing else {"LD_PRELOAD": str(self._library), "WRONGLUNG_CLOCK_FILE": str(self._file)}

    def jump(self, seconds: int) -> None:
        """Set the time of day so many seconds off the real one."""
        with self._file.open("r+b") as file, mmap.mmap(file.fileno(), _FORM.size) as shared:
            shared[:] = _FORM.pack(seconds)
