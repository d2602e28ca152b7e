"""What a command tells people on standard error: on a terminal a bar or a line that changes, in a log few lines, each
with its time.
"""

import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TextIO

_LOG_EVERY_S = 10.0
_TERMINAL_EVERY_S = 1.0
_NO_BAR_BEFORE_S = 0.5
_MIB = 1 << 20
_CLEAR = "\r\x1b[K"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Console:
    """Speaks for one command.

    Args:
        command: the command's name, before every line.
        stream: where to write; standard error by default.
        clock: the monotonic clock in seconds.
        time_of_day: the time that lines of a log bear.
    """

    def __init__(
        self,
        command: str,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        time_of_day: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._name = f"wronglung {command}"
        self._stream = stream or sys.stderr
        self._clock = clock
        self._time_of_day = time_of_day
        self._terminal = self._stream.isatty()
        self._last_wait_s = clock()
        self._unfinished = False

    def say(self, message: str) -> None:
        """Write a line."""
        time_of_day = "" if self._terminal else f"{self._time_of_day().isoformat(timespec='milliseconds')} "
        self._write(f"{time_of_day}{self._name}: {message}\n")
        self._unfinished = False

    def waiting(self, message: str) -> None:
        """Say what is waited for, as often as suits who reads it; call it as often as you like."""
        now = self._clock()
        if now - self._last_wait_s < (_TERMINAL_EVERY_S if self._terminal else _LOG_EVERY_S):
            return
        self._last_wait_s = now
        if self._terminal:
            line = f"{self._name}: {message}"
            self._write(line[: shutil.get_terminal_size().columns - 1])  # a line that wraps cannot be cleared
            self._unfinished = True
        else:
            self.say(message)

    def progress(self, what: str, size: int) -> Callable[[int], object]:
        """Show how a step gets on whose size in bytes is known; see `wronglung.progress.Progress`."""
        return self._bar(what, size) if self._terminal else self._lines(what, size)

    def _write(self, text: str) -> None:
        """Write, or do without: a full disk or a reader that has gone must not end what is told of."""
        with suppress(OSError):
            self._stream.write(_CLEAR + text if self._unfinished else text)
            self._stream.flush()

    def _bar(self, what: str, size: int) -> Callable[[int], object]:
        from tqdm import tqdm

        bar = tqdm(
            total=size,
            desc=f"{what:<26}",
            unit="B",
            unit_scale=True,
            unit_divisor=1024,
            delay=_NO_BAR_BEFORE_S,
            file=self._stream,
        )

        def step(count: int) -> None:
            bar.update(count)
            if bar.n >= size:
                bar.close()

        return step

    def _lines(self, what: str, size: int) -> Callable[[int], object]:
        done, last_s = 0, self._clock()

        def step(count: int) -> None:
            nonlocal done, last_s
            done += count
            if self._clock() - last_s >= _LOG_EVERY_S:
                last_s = self._clock()
                self.say(f"{what}: {done // _MIB} of {size // _MIB} MiB")

        return step
