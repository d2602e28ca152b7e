"""Structured logs on standard error: one JSON object per line. Never image data, never the text of a sentence."""

import json
import logging
import sys
from datetime import UTC, datetime

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


_TALKATIVE = ("PIL", "pydicom")
"""At their level "debug" these tell what is in a file: values of tags, names among them."""


def log_to_stderr(level: str) -> None:
    """Send all logs from `level` ("debug", "info", "warning", "error") on to standard error."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
