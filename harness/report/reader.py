"""Read what a run left behind: `results/<run>/` as typed values. Every optional part may be missing."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from harness.statistics import FEW_PATIENTS

Section = Literal["models", "deltas", "advantage"]
Json = Mapping[str, Any]


class ResultsError(ValueError):
    """A results directory that cannot be read. The message names the file and what to do."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over sentences with its 95 % interval from resampled patients; None where it is null."""

    mean: float | None
    low: float | None
    high: float | None
    n: int
    """Sentences with a value."""
    patients: int | None = None
    p: float | None = None
    q: float | None = None
    mde: float | None = None
    """Smallest detectable effect; of deltas only, like `p` and `q`."""

    @property
    def known(self) -> bool:
        """Whether there is a mean and an interval around it."""
        return self.mean is not None and self.low is not None and self.high is not None

    @property
    def few_patients(self) -> bool:
        """Whether it rests on fewer than 20 patients."""
        return self.patients is not None and self.patients < FEW_PATIENTS

    def scaled(self, factor: float) -> "Estimate":
        """The same in another unit, e.g. in percent."""
        mean, low, high, mde = (None if v is None else factor * v for v in (self.mean, self.low, self.high, self.mde))
        return replace(self, mean=mean, low=low, high=high, mde=mde)


def _finite(value: object) -> float | None:
    number = float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
    return number if math.isfinite(number) else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def parse_estimate(node: object) -> Estimate | None:
    """Read ``{"mean", "ci95": [lo, hi], "n", …}``; None when `node` is no such thing."""
    if not isinstance(node, Mapping) or "mean" not in node:
        return None
    interval = node.get("ci95") or (None, None)
    return Estimate(
        mean=_finite(node["mean"]),
        low=_finite(interval[0]),
        high=_finite(interval[1]),
        n=_count(node.get("n")) or 0,
        patients=_count(node.get("patients")),
        p=_finite(node.get("p")),
        q=_finite(node.get("q")),
        mde=_finite(node.get("mde")),
    )


def dig(node: object, *keys: str) -> Any:
    """Follow `keys` through nested mappings; None as soon as one is missing."""
    for key in keys:
        if not isinstance(node, Mapping):
            return None
        node = node.get(key)
    return node


def mapping(node: object) -> Json:
    """`node` if it is a mapping, else an empty one."""
    return node if isinstance(node, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Results:
    """One run: its directory, `manifest.json`, `summary.json` and the entries of `gallery/index.json`."""

    directory: Path
    manifest: Json
    summary: Json
    gallery: tuple[Json, ...]

    @property
    def name(self) -> str:
        """The run's name; its directory's where the manifest has none."""
        return str(self.manifest.get("name") or self.directory.resolve().name)

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models, in the summary's order."""
        return tuple(mapping(self.summary.get("models")))

    @property
    def perturbations(self) -> tuple[str, ...]:
        """Every perturbation that any model was given."""
        models = mapping(self.summary.get("models"))
        return _unique(key for model in models.values() for key in mapping(model))

    @property
    def subsets(self) -> tuple[str, ...]:
        """Every subset that any model was measured on."""
        models = mapping(self.summary.get("models"))
        return _unique(key for model in models.values() for arm in mapping(model).values() for key in mapping(arm))

    @property
    def metrics(self) -> tuple[str, ...]:
        """Every metric that any model was measured by."""
        models = mapping(self.summary.get("models"))
        profiles = (
            profile
            for model in models.values()
            for arm in mapping(model).values()
            for subset in mapping(arm).values()
            for profile in mapping(subset).values()
        )
        return _unique(key for profile in profiles for key in mapping(profile))

    @property
    def dataset(self) -> Json:
        """What is known of the data set: what was evaluated, and what its reader left out."""
        return {**mapping(self.manifest.get("dataset")), **mapping(self.summary.get("dataset"))}

    @property
    def patients(self) -> int | None:
        """Patients in the data set, if the run says."""
        return _count(self.dataset.get("patients"))

    @property
    def few_patients(self) -> bool:
        """Whether the whole run rests on fewer than 20 patients."""
        return self.patients is not None and self.patients < FEW_PATIENTS

    def estimate(self, section: Section, model: str, arm: str, *path: str) -> Estimate | None:
        """The value at ``<section>.<model>.<arm>.<path…>`` with path = subset, profile, metric; the arm is a
        perturbation, in `advantage` a control."""
        return parse_estimate(dig(self.summary, section, model, arm, *path))

    def shared_control(self, control: str, *path: str) -> Estimate | None:
        """The value at ``controls.<control>.<path…>`` of a control that is the same for every model."""
        return parse_estimate(dig(self.summary, "controls", control, *path))

    def own_control(self, control: str, model: str, *path: str) -> Estimate | None:
        """The value at ``controls.<control>.<model>.<path…>`` of a control that each model has for itself."""
        return parse_estimate(dig(self.summary, "controls", control, model, *path))


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ResultsError(f"{path} is not JSON ({error}); run the evaluation again with --resume") from error


def _read_object(path: Path) -> Json:
    if not path.is_file():
        raise ResultsError(f"{path} is missing: give the directory that `harness run` wrote, after it has finished")
    node = _read_json(path)
    if not isinstance(node, Mapping):
        raise ResultsError(f"{path} holds no JSON object; run the evaluation again with --resume")
    return node


def _entries(path: Path) -> Iterator[Json]:
    if not path.is_file():
        return
    node = _read_json(path)
    if not isinstance(node, list):
        raise ResultsError(f"{path} holds no JSON list; run the evaluation again with --resume")
    yield from (entry for entry in node if isinstance(entry, Mapping))


def read_results(directory: Path) -> Results:
    """Read a run's manifest, summary and gallery index.

    Raises:
        ResultsError: `manifest.json` or `summary.json` is missing, or a file is not what it should be.
    """
    return Results(
        directory=directory,
        manifest=_read_object(directory / "manifest.json"),
        summary=_read_object(directory / "summary.json"),
        gallery=tuple(_entries(directory / "gallery" / "index.json")),
    )
