"""How a run gets on: stages and their times, and bars on stderr for people."""

import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Never, TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


class Progress:
    """Told how a run gets on; this one says nothing."""

    def stage(self, name: str) -> None:
        """A stage begins."""

    def expect(self, total: int, done: int = 0, unit: str = "image") -> None:
        """The stage has so many steps, of which some were done before."""

    def advance(self, count: int = 1) -> None:
        """So many more steps are done."""

    def each(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items, each a step that is done when the next one is asked for."""
        for item in items:
            yield item
            self.advance()


class Bars(Progress):
    """A line for each stage, and a bar with its rate and the time left, on stderr."""

    def __init__(self) -> None:
        self._bar: tqdm[Never] | None = None

    def __enter__(self) -> "Bars":
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def stage(self, name: str) -> None:
        """Close the bar and name the stage."""
        self.close()
        sys.stderr.write(f"{name} …\n")
        sys.stderr.flush()

    def expect(self, total: int, done: int = 0, unit: str = "image") -> None:
        """Open the bar."""
        self.close()
        self._bar = tqdm(total=total, initial=done, unit=unit, file=sys.stderr, mininterval=0.5)

    def advance(self, count: int = 1) -> None:
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
