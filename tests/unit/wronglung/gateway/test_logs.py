"""Lines of the log that nobody takes."""

import errno
import io
import json
import logging

import pytest

from wronglung.gateway.logs import JsonFormatter, Lines
from wronglung.gateway.metrics import Metrics


class Disk(io.StringIO):
    """A file on a disk that may be full."""

    full = False

    def write(self, text: str) -> int:
        if self.full:
            super().write(text[:3])
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)


def whole(line: str) -> bool:
    """Whether it is a line that was not cut off."""
    return line.endswith("}")


def test_lines_that_were_lost_are_told_of_when_there_is_room_again(capsys: pytest.CaptureFixture[str]) -> None:
    disk, log, metrics = Disk(), logging.Logger("wronglung.audit"), Metrics()
    handler = Lines(disk, metrics.lost_log_lines.inc)
    handler.setFormatter(JsonFormatter())
    log.addHandler(handler)
    log.info("first")
    disk.full = True
    for _ in range(3):
        log.info("call")
    assert metrics.registry.get_sample_value("wronglung_lost_log_lines_total") == 3  # at once
    disk.full = False
    log.info("last")
    log.info("and on")
    entries = [json.loads(line) for line in disk.getvalue().splitlines() if whole(line)]
    assert [entry["message"] for entry in entries] == ["first", "lines were lost", "last", "and on"]
    assert (entries[1]["level"], entries[1]["lines"]) == ("error", 3)
    assert metrics.registry.get_sample_value("wronglung_lost_log_lines_total") == 3
    assert capsys.readouterr().err == ""
