"""What workers have written into their logs."""

import os
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

SETUP_FAILED = "WRONGLUNG SET-UP FAILED"
"""The handler prints this when it cannot serve its model, so that a start need not wait for a timeout to fail."""
_TAIL_BYTES = 64 * 1024


def tail(path: Path) -> str:
    """The end of a log; nothing of one that is not there."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
            return file.read().decode(errors="replace")
    except FileNotFoundError:  # not written yet, or just being rolled over
        return ""


def setup_failure(said: Sequence[str]) -> str | None:
    """Why a model cannot be served, from the lines of its worker; None if nothing was said."""
    for index, line in enumerate(said):
        if SETUP_FAILED in line:
            return "\n".join([line.partition(SETUP_FAILED)[2].lstrip(": "), *takewhile(_is_message, said[index + 1 :])])
    return None


def last_words(logs: Sequence[Path], lines: int = 30) -> str:
    """The ends of some logs, each under its name; of those that say anything."""
    ends = {path.name: tail(path).strip().splitlines()[-lines:] for path in logs}
    return "\n".join("\n".join([f"--- end of {name}", *end]) for name, end in ends.items() if end)


def _is_message(line: str) -> bool:
    """Whether a line of the log still belongs to the message of the exception before it."""
    return line.startswith("  ") and not line.startswith("  File ")
