"""What a metric is, and where a user adds one.

A metric of your own is a function of a `Scene` that returns one float64 per map, NaN for null::

    import numpy as np
    from harness.metrics import Metric, Protocol, Scene

    def _label_share(scene: Scene) -> np.ndarray:
        return scene.total_positive / scene.total_area

    label_share = Metric(
        name="label_share",
        description="Share of the image under the label.",
        protocols={"exact": Protocol("my-lab/label-share/1", _label_share)},
        direction="none",
    )

`register(label_share)` adds it to the running process; an entry point adds it wherever your package is installed::

    [project.entry-points."wronglung.metrics"]
    label_share = "mypackage.metrics:label_share"

and the key `metrics` of a run file adds it to one run: ``metrics: ["mypackage.metrics:label_share"]``.
"""

import importlib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Literal, get_args

from harness.metrics.scene import Array, Scene

Profile = Literal["paper", "exact"]
PROFILES: tuple[Profile, ...] = ("paper", "exact")

Direction = Literal["higher", "lower", "none"]
EmptyLabel = Literal["null", "defined"]

ENTRY_POINTS = "wronglung.metrics"
BETWEEN_ROWS = ("kl", "match_local", "match_global", "preference", "mirror_consistency")
"""Names of the columns that compare rows; they are no metrics of one map (`harness.collect.rowmetrics`)."""


class MetricError(ValueError):
    """A metric is declared wrongly, cannot be loaded, or does not do what it declares. The message names it."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """One exact way to compute a metric. `name` stands beside every value; a change of definition changes it.

    Raises:
        MetricError: the name does not end in a version, or there is nothing to call.
    """

    name: str
    compute: Callable[[Scene], Array]

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\S+/[0-9]+", self.name):
            raise MetricError(f"a protocol's name ends in its version, e.g. 'my-lab/hit/1', got {self.name!r}")
        if not callable(self.compute):
            raise MetricError(f"protocol {self.name!r} needs a function of a Scene, got {self.compute!r}")


@dataclass(frozen=True, slots=True)
class Metric:
    """A number per map, and what a reader must know of it.

    Raises:
        MetricError: a name that is not an identifier or is taken, no description, no protocol, an unknown profile,
            direction or rule for empty labels, or a range that is none.
    """

    name: str
    description: str
    protocols: Mapping[Profile, Protocol]
    """How it is computed, for each profile that has it."""
    lowest: float = 0.0
    highest: float = 1.0
    direction: Direction = "higher"
    """Which way is better."""
    empty_label: EmptyLabel = "null"
    """Whether a map whose label is empty (no box, or none inside the frame) has a value."""

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise MetricError(f"a metric's name is a word of letters, digits and underscores, got {self.name!r}")
        if self.name in BETWEEN_ROWS:
            raise MetricError(f"{self.name!r} is the name of a column that compares rows; give your metric another")
        for fault in self._faults():
            raise MetricError(f"metric {self.name!r} needs {fault}")

    def _faults(self) -> Iterable[str]:
        if not self.protocols or set(self.protocols) - set(PROFILES):
            yield "a protocol for 'paper', 'exact' or both"
        if not self.description.strip():
            yield "a description: one sentence that says what it measures"
        if self.direction not in get_args(Direction):
            yield f"a direction of {', '.join(get_args(Direction))}, not {self.direction!r}"
        if self.empty_label not in get_args(EmptyLabel):
            yield f"a rule for empty labels of {', '.join(get_args(EmptyLabel))}, not {self.empty_label!r}"
        if not self.lowest < self.highest:
            yield f"a range from lowest to highest, not {self.lowest} to {self.highest}"

    def as_json(self) -> dict[str, object]:
        """The declaration as plain values, for the manifest; null for a side without a bound."""
        bounds = [None if math.isinf(bound) else bound for bound in (self.lowest, self.highest)]
        return {
            "description": self.description,
            "direction": self.direction,
            "empty_label": self.empty_label,
            "range": bounds,
            "protocols": {profile: protocol.name for profile, protocol in self.protocols.items()},
        }


_registered: dict[str, Metric] = {}


def register(*metrics: Metric) -> None:
    """Add metrics to this process.

    Raises:
        MetricError: another metric has the name.
    """
    for metric in metrics:
        if _registered.setdefault(metric.name, metric) != metric:
            raise MetricError(f"there is a metric {metric.name!r} already; give yours another name")


def registered(profile: Profile | None = None) -> tuple[Metric, ...]:
    """Every metric, or those of one profile: the built-in ones first, then those of users.

    Raises:
        MetricError: an installed package declares one that cannot be loaded.
    """
    _load_entry_points()
    return tuple(m for m in _registered.values() if profile is None or profile in m.protocols)


@cache
def _load_entry_points() -> None:
    register(*_declared(entry_points(group=ENTRY_POINTS)))


def _declared(points: Iterable[EntryPoint]) -> Iterable[Metric]:
    for point in points:
        try:
            found = point.load()
        except Exception as error:  # a user's module may raise anything when it is imported
            raise MetricError(f"entry point {point!r} cannot be loaded: {error}") from error
        yield _metric(found, f"entry point {point!r}")


def load_metric(path: str) -> Metric:
    """The metric at ``package.module:name``: a `Metric`, or something that makes one when called without arguments.

    Raises:
        MetricError: there is none.
    """
    module, colon, name = path.partition(":")
    if not (module and colon and name):
        raise MetricError(f"a metric is named as package.module:name, got {path!r}")
    try:
        found = getattr(importlib.import_module(module), name)
        made = found if isinstance(found, Metric) or not callable(found) else found()
    except Exception as error:  # a user's module may raise anything when it is imported
        raise MetricError(
            f"{path} cannot be loaded: {type(error).__name__}: {error}. Install its package beside this one, or set "
            "PYTHONPATH to its folder"
        ) from error
    return _metric(made, path)


def _metric(found: object, where: str) -> Metric:
    if not isinstance(found, Metric):
        raise MetricError(f"{where} is not a harness.metrics.Metric")
    return found
