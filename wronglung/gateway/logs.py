"""Structured logs on standard error: one JSON object per line. Never image data, never the text of a sentence."""

import json
import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TextIO

from wronglung.defects import where

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Time, level, logger, message, whatever was given as `extra`, and where an exception happened (never what it says:
    see `wronglung.defects`)."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info and record.exc_info[1] is not None:
            entry["exception"] = where(record.exc_info[1])
        return json.dumps(entry, default=str)


class Lines(logging.StreamHandler[TextIO]):
    """Writes lines as long as somebody takes them. Those that a full disk did not take are counted, and told of in the
    first line that is taken again: a hole in the audit shall be seen. Python would print stack traces instead.

    Args:
        stream: where to.
        on_lost: told of every line that was not taken, at once.
    """

    def __init__(self, stream: TextIO, on_lost: Callable[[], None]) -> None:
        super().__init__(stream)
        self.lost = 0
        self._on_lost = on_lost

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line, and before it how many were lost."""
        if lost := self.lost:
            self.lost = 0
            with suppress(OSError):  # if it cannot be written, nor can what follows
                self.stream.write(self.terminator)  # a line may have been cut off
            super().emit(_told(lost))
            if self.lost:  # it could not be told either
                self.lost = lost
        before = self.lost
        super().emit(record)
        if self.lost > before:
            self._on_lost()

    def handleError(self, record: logging.LogRecord) -> None:
        """One line was not written."""
        self.lost += 1


def _told(lost: int) -> logging.LogRecord:
    return logging.makeLogRecord(
        {"name": __name__, "levelno": logging.ERROR, "levelname": "ERROR", "msg": "lines were lost", "lines": lost}
    )


_TALKATIVE = ("PIL", "pydicom")
"""At their level "debug" these tell what is in a file: values of tags, names among them."""


def log_to_stderr(level: str, on_lost: Callable[[], None]) -> None:
    """Send all logs from `level` ("debug", "info", "warning", "error") on to standard error; see `Lines`."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    handler = Lines(sys.stderr, on_lost)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
