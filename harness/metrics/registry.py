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
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Literal

from harness.metrics.scene import Array, Scene

Profile = Literal["paper", "exact"]
PROFILES: tuple[Profile, ...] = ("paper", "exact")

ENTRY_POINTS = "wronglung.metrics"


@dataclass(frozen=True, slots=True)
class Protocol:
    """One exact way to compute a metric. `name` stands beside every value; a change of definition changes it."""

    name: str
    compute: Callable[[Scene], Array]


@dataclass(frozen=True, slots=True)
class Metric:
    """A number per map, and what a reader must know of it.

    Raises:
        ValueError: no protocol, an unknown profile, or a name that is not an identifier.
    """

    name: str
    description: str
    protocols: Mapping[Profile, Protocol]
    """How it is computed, for each profile that has it."""
    lowest: float = 0.0
    highest: float = 1.0
    direction: Literal["higher", "lower", "none"] = "higher"
    """Which way is better."""
    empty_label: Literal["null", "defined"] = "null"
    """Whether a map whose label is empty (no box, or none inside the frame) has a value."""

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise ValueError(f"a metric's name is a word of letters, digits and underscores, got {self.name!r}")
        if not self.protocols or set(self.protocols) - set(PROFILES):
            raise ValueError(f"metric {self.name!r} needs a protocol for 'paper', 'exact' or both")


_registered: dict[str, Metric] = {}


def register(*metrics: Metric) -> None:
    """Add metrics to this process.

    Raises:
        ValueError: another metric has the name.
    """
    for metric in metrics:
        if _registered.setdefault(metric.name, metric) != metric:
            raise ValueError(f"there is a metric {metric.name!r} already; give yours another name")


def registered(profile: Profile | None = None) -> tuple[Metric, ...]:
    """Every metric, or those of one profile: the built-in ones first, then those of users."""
    _load_entry_points()
    return tuple(m for m in _registered.values() if profile is None or profile in m.protocols)


@cache
def _load_entry_points() -> None:
    register(*_declared(entry_points(group=ENTRY_POINTS)))


def _declared(points: Iterable[object]) -> Iterable[Metric]:
    for point in points:
        metric = point.load()  # type: ignore[attr-defined]
        if not isinstance(metric, Metric):
            raise ValueError(f"entry point {point!r} is not a harness.metrics.Metric")
        yield metric
