"""What workers have written into their logs."""

import os
from collections.abc import Mapping, Sequence
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


def setup_failure(said: Mapping[str, Sequence[str]]) -> str | None:
    """The first model that cannot be served, and why, from the lines of the workers of each; None if there is none."""
    for model, lines in said.items():
        for index, line in enumerate(lines):
            if SETUP_FAILED in line:
                why = line.partition(SETUP_FAILED)[2].lstrip(": ")
                return "\n".join([f"{model}: {why}", *takewhile(_is_message, lines[index + 1 :])])
    return None


def last_words(logs: Sequence[Path], lines: int = 30) -> str:
    """The ends of some logs, each under its name; of those that say anything."""
    ends = {path.name: tail(path).strip().splitlines()[-lines:] for path in logs}
    return "\n".join("\n".join([f"--- end of {name}", *end]) for name, end in ends.items() if end)


def _is_message(line: str) -> bool:
    """Whether a line of the log still belongs to the message of the exception before it."""
    return line.startswith("  ") and not line.startswith("  File ")
