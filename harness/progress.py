"""How a run gets on: stages and their times, and bars on stderr for people."""

import sys
import time
from dataclasses import dataclass, field
from typing import Never

from tqdm import tqdm


class Progress:
    """Told how a run gets on; this one says nothing."""

    def stage(self, name: str) -> None:
        """A stage begins."""

    def images(self, total: int, done: int) -> None:
        """Images are to be collected, of which some are already there."""

    def image(self, count: int) -> None:
        """So many more images are complete."""


class Bars(Progress):
    """A bar for the images and a line for each stage, on stderr."""

    def __init__(self) -> None:
        self._bar: tqdm[Never] | None = None

    def stage(self, name: str) -> None:
        """Close the bar and name the stage."""
        self.close()
        sys.stderr.write(f"{name} …\n")
        sys.stderr.flush()

    def images(self, total: int, done: int) -> None:
        """Open the bar."""
        self._bar = tqdm(total=total, initial=done, unit="image", file=sys.stderr, mininterval=0.5)

    def image(self, count: int) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.update(count)

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()
        self._bar = None


@dataclass(slots=True)
class Stages:
    """Seconds spent in each stage, and a word to the progress when one begins."""

    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)
    _current: str = ""
    _began: float = 0.0

    def begin(self, name: str) -> None:
        """End the stage before and begin this one."""
        self.end()
        self._current, self._began = name, time.perf_counter()
        self.progress.stage(name)

    def end(self) -> None:
        """End the current stage."""
        if self._current:
            self.seconds[self._current] = round(time.perf_counter() - self._began, 3)
        self._current = ""
