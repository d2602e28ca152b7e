"""The audit line: one per call, with fixed fields, whatever became of the call. `docs/operations.md` lists the fields.

Never image data, never the text of a sentence, never what a caller wrote where a model's name belongs.
"""

import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

LOGGER = "wronglung.audit"
_log = logging.getLogger(LOGGER)
_log.setLevel(logging.INFO)  # an audit has no holes: `--log-level` is for the other lines

FIELDS = (
    "call_id",
    "request_id",
    "trace_id",
    "caller",
    "peer",
    "method",
    "models",
    "images",
    "sentences",
    "bytes",
    "code",
    "failed",
    "seconds",
    "waiting_seconds",
    "reading_seconds",
    "torchserve_seconds",
)
"""The fields of a line besides `time`, `level`, `logger` and `message`, in order."""


@dataclass(slots=True)
class Tally:
    """What a call asked for, summed over its requests (a unary call has one, a stream any number)."""

    request_id: str = ""
    """Of a unary call; a stream's requests have one each."""
    models: set[str] = field(default_factory=set)
    images: int = 0
    sentences: int = 0
    bytes: int = 0
    """Size of the messages that were read."""
    failed: Counter[str] = field(default_factory=Counter)
    """Requests that were not answered by a result, by code."""
    waiting_seconds: float = 0.0
    """For room: to hold the message, and of a stream's requests also at their model."""
    reading_seconds: float = 0.0
    """For the message of a unary call to arrive once there was room for it. A stream waits for messages that its caller
    may not have begun to send: that is no time of the server's."""
    torchserve_seconds: float = 0.0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """During the block it is waited for room."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.waiting_seconds += time.monotonic() - started

    @contextmanager
    def reading(self) -> Iterator[None]:
        """During the block the message arrives."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.reading_seconds += time.monotonic() - started


def write(line: dict[str, Any]) -> None:
    """Write one line.

    Raises:
        ValueError: its fields are not `FIELDS`.
    """
    if tuple(line) != FIELDS:
        raise ValueError(f"an audit line has the fields {FIELDS}, got {tuple(line)}")
    _log.info("call", extra=line)
