"""The handler's metrics: noted in a worker's process, counted in the backend's, shown as a page like TorchServe's."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import yaml
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_Kind = TypeVar("_Kind", Histogram, Counter, Gauge)


class Report(NamedTuple):
    """One figure of a batch."""

    name: str
    value: float
    labels: tuple[str, ...]


class Notes:
    """In a worker: has a meter for every metric of the handler, as TorchServe's `context.metrics` does."""

    def __init__(self) -> None:
        self._reports: list[Report] = []

    def get_metric(self, name: str, _kind: object = None) -> "_Meter":
        """The meter of a metric. Of which kind it is, `Page` knows."""
        return _Meter(name, self._reports)

    def take(self) -> list[Report]:
        """What was noted since the last time."""
        taken = self._reports.copy()
        self._reports.clear()
        return taken


class _Meter:
    def __init__(self, name: str, reports: list[Report]) -> None:
        self._name = name
        self._reports = reports

    def add_or_update(self, value: float, labels: Sequence[str]) -> None:
        """Note a value."""
        self._reports.append(Report(self._name, value, tuple(labels)))


class Page:
    """In the backend: adds up what its workers report.

    Args:
        declared: TorchServe's `metrics.yaml`, which names the handler's metrics, their kinds and labels.
    """

    def __init__(self, declared: Path) -> None:
        self.registry = CollectorRegistry()
        kinds = yaml.safe_load(declared.read_text(encoding="utf-8"))["model_metrics"]
        self._histograms = {each["name"]: self._made(Histogram, each) for each in kinds["histogram"]}
        self._counters = {each["name"]: self._made(Counter, each) for each in kinds["counter"]}
        self._gauges = {each["name"]: self._made(Gauge, each) for each in kinds["gauge"]}

    def add(self, reports: Iterable[Report]) -> None:
        """Count the figures of one batch."""
        for name, value, labels in reports:
            if name in self._histograms:
                self._histograms[name].labels(*labels).observe(value)
            elif name in self._counters:
                self._counters[name].labels(*labels).inc(value)
            else:
                self._gauges[name].labels(*labels).set(value)

    def _made(self, kind: type[_Kind], declared: Mapping[str, object]) -> _Kind:
        labels = declared["dimensions"]
        assert isinstance(labels, list)
        return kind(str(declared["name"]), f"in {declared['unit']}", labels, registry=self.registry)
