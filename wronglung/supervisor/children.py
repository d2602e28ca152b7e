"""Whether a process has a child that was started only just now."""

import os
import time
from pathlib import Path

_PARENT, _STARTED = 1, 19
"""Fields of /proc/PID/stat, counted from the state, which follows the command's name."""


def has_young_child(parent: int, seconds: float, proc: Path = Path("/proc")) -> bool:
    """Whether a living child of a process is younger than so many seconds. Where there is no /proc, none is known."""
    born_after = time.clock_gettime(time.CLOCK_BOOTTIME) - seconds if proc.exists() else 0.0
    return any(_is_young(stat, parent, born_after) for stat in proc.glob("[0-9]*/stat"))


def _is_young(stat: Path, parent: int, born_after: float) -> bool:
    try:
        fields = stat.read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return False
    born = int(fields[_STARTED]) / os.sysconf("SC_CLK_TCK")
    return fields[0] != "Z" and int(fields[_PARENT]) == parent and born > born_after
