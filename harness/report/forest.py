"""Dot-and-interval plots as percentages of an axis, so that a page can draw them at any width without a script."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.report import numbers
from harness.report.reader import Estimate


@dataclass(frozen=True, slots=True)
class Mark:
    """An estimate to draw: its label, and the series (model) whose colour and shape it takes."""

    label: str
    series: int
    estimate: Estimate
    group: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place on the axis, in percent of its width."""

    at: float
    label: str
    minor: bool = False
    """Left out where space is short; 0 never is."""


@dataclass(frozen=True, slots=True)
class Strip:
    """One row of the plot; `low`, `at`, `high` in percent of the axis."""

    label: str
    series: int
    group: str
    low: float
    at: float
    high: float
    mean: str
    interval: str
    remark: str


@dataclass(frozen=True, slots=True)
class Forest:
    """A plot: its caption, axis and rows. `references` are vertical lines."""

    caption: str
    axis: str
    ticks: tuple[Tick, ...]
    references: tuple[Tick, ...]
    strips: tuple[Strip, ...]

    @property
    def groups(self) -> tuple[tuple[str, tuple[Strip, ...]], ...]:
        """The rows by group, in order."""
        names = dict.fromkeys(strip.group for strip in self.strips)
        return tuple((name, tuple(s for s in self.strips if s.group == name)) for name in names)


def nice_step(span: float, most: int = 5) -> float:
    """The smallest step of 1, 2 or 5 × 10^k that cuts `span` into at most `most` pieces."""
    raw = span / most
    power = 10.0 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))


@dataclass(frozen=True, slots=True)
class Axis:
    """From `low` to `high`, with a tick every `step`."""

    low: float
    high: float
    step: float

    @classmethod
    def around(cls, values: Iterable[float]) -> "Axis":
        """The axis with round ends that holds every value."""
        known = list(values)
        low, high = min(known), max(known)
        if high - low < 1e-9:
            low, high = low - 0.01, high + 0.01
        step = nice_step(high - low)
        return cls(math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, step)

    def percent(self, value: float) -> float:
        """Where `value` lies, in percent; values beyond the ends lie at the ends."""
        share = 100 * (value - self.low) / (self.high - self.low)
        return round(min(max(share, 0.0), 100.0), 2)

    def ticks(self, *, signed: bool) -> tuple[Tick, ...]:
        """Every tick with its number."""
        count = round((self.high - self.low) / self.step)
        digits = max(0, -math.floor(math.log10(self.step) + 1e-9))
        first = round(self.low / self.step)
        return tuple(
            Tick(self.percent(i * self.step), numbers.number(i * self.step, digits, signed=signed), minor=i % 2 == 1)
            for i in range(first, first + count + 1)
        )


def forest(
    caption: str,
    axis_label: str,
    marks: Sequence[Mark],
    *,
    references: Sequence[tuple[float, str]] = (),
    digits: int = 3,
    signed: bool = False,
) -> Forest | None:
    """Lay out `marks` on a common axis that also holds the references; None when nothing can be drawn."""
    drawn = [mark for mark in marks if mark.estimate.mean is not None]
    if not drawn:
        return None
    axis = Axis.around([value for mark in drawn for value in _values(mark.estimate)] + [v for v, _ in references])
    return Forest(
        caption=caption,
        axis=axis_label,
        ticks=axis.ticks(signed=signed),
        references=tuple(Tick(axis.percent(value), label) for value, label in references),
        strips=tuple(_strip(mark, axis, digits, signed=signed) for mark in drawn),
    )


def _values(estimate: Estimate) -> list[float]:
    return [value for value in (estimate.low, estimate.mean, estimate.high) if value is not None]


def _strip(mark: Mark, axis: Axis, digits: int, *, signed: bool) -> Strip:
    values = _values(mark.estimate)
    few = f"from {mark.estimate.patients} patients" if mark.estimate.few_patients else ""
    low, at, high = (axis.percent(value) for value in (values[0], values[len(values) // 2], values[-1]))
    return Strip(
        label=mark.label,
        series=mark.series,
        group=mark.group,
        low=low,
        at=at,
        high=high,
        mean=numbers.number(mark.estimate.mean, digits, signed=signed),
        interval=numbers.interval(mark.estimate, digits, signed=signed) or "no interval",
        remark=", ".join(part for part in (mark.remark, few) if part),
    )
