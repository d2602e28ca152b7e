"""Histograms of a column of `cases.parquet`, one per model and perturbation, read in batches."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from harness.report import wording

BINS = 24
Key = tuple[str, str]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bin, in percent of the axis and of the tallest bar."""

    x: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Histogram:
    """The distribution of a value for one model under one perturbation."""

    model: str
    series: int
    perturbation: str
    low: float
    high: float
    bars: tuple[Bar, ...]
    n: int
    median: float

    @property
    def label(self) -> str:
        """The perturbation's name for people."""
        return wording.term(wording.PERTURBATIONS, self.perturbation).label


def histograms(parquet: Path, column: str, models: tuple[str, ...]) -> tuple[Histogram, ...]:
    """Distributions of `column`; all histograms of one model share the axis. Empty without the file, the column, or
    any value above 0."""
    if not parquet.is_file():
        return ()
    values = {key: np.concatenate(parts) for key, parts in _collect(parquet, column).items()}
    mine = ((series, {k: v for k, v in values.items() if k[0] == model}) for series, model in enumerate(models))
    return tuple(histogram for series, found in mine if found for histogram in _of_model(series, found))


def _collect(parquet: Path, column: str) -> dict[Key, list[FloatArray]]:
    found: dict[Key, list[FloatArray]] = {}
    for models, perturbations, numbers in _batches(parquet, column):
        for key in sorted(set(zip(models.tolist(), perturbations.tolist(), strict=True))):
            mine = numbers[(models == key[0]) & (perturbations == key[1]) & np.isfinite(numbers)]
            if mine.size:
                found.setdefault(key, []).append(mine)
    return found


def _batches(parquet: Path, column: str) -> Iterator[tuple[npt.NDArray[np.str_], npt.NDArray[np.str_], FloatArray]]:
    with pq.ParquetFile(parquet) as file:
        columns = ["model", "perturbation", column]
        if not set(columns) <= set(file.schema_arrow.names):
            return
        for batch in file.iter_batches(columns=columns):
            models, perturbations = (np.array(batch.column(i).to_pylist(), dtype=np.str_) for i in (0, 1))
            yield models, perturbations, batch.column(2).to_numpy(zero_copy_only=False).astype(np.float64)


def _of_model(series: int, values: dict[Key, FloatArray]) -> Iterator[Histogram]:
    high = max(float(v.max()) for v in values.values())
    low = min(float(v.min()) for v in values.values())
    if high <= 0:
        return
    edges = np.linspace(low, high if high > low else low + 1e-6, BINS + 1)
    shares = {key: np.histogram(v, bins=edges)[0] / v.size for key, v in values.items()}
    tallest = max(float(share.max()) for share in shares.values())
    for (model, perturbation), v in values.items():
        share = shares[model, perturbation]
        bars = tuple(
            Bar(round(100 * i / BINS, 3), round(100 / BINS, 3), round(100 * float(s) / tallest, 2))
            for i, s in enumerate(share)
            if s > 0
        )
        yield Histogram(model, series, perturbation, low, high, bars, int(v.size), float(np.median(v)))
