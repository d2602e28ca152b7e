"""The controls of a run, scored on the same sentences as the models: one table of metrics for each control."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harness import controls
from harness.case import Box
from harness.collect.scoring import Scorable, score_all
from harness.metrics.label import exact_boxes
from harness.metrics.registry import Profile
from harness.summary.cases import read_maps
from wronglung.geometry import Frame

Array = npt.NDArray[np.float64]
Columns = dict[str, Array]


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """One model's answered sentences as written, N of them, with their maps. All maps share grid and frame size."""

    model: str
    sentence_ids: list[str]
    images: list[str]
    patients: list[str]
    wordings: list[str]
    """What each sentence says, without case and punctuation."""
    boxes: list[tuple[Box, ...]]
    frames: list[Frame]
    maps: npt.NDArray[np.float32]
    """(N, R, C)."""
    opt_out: Array
    """(N,)."""

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the maps."""
        return self.maps.shape[1], self.maps.shape[2]

    @property
    def geometry(self) -> tuple[object, ...]:
        """Equal for models whose maps lie on the same cells of the same sentences."""
        return self.grid, tuple(self.sentence_ids), tuple(self.frames)


@dataclass(frozen=True, slots=True, eq=False)
class Control:
    """Maps that stand in for a model's, one for each sentence of a baseline."""

    name: str
    maps: Array
    """(N, R, C); NaN where the control has none."""
    opt_out: Array
    """(N,)."""


def read_baseline(parts: Sequence[Path], model: str) -> Baseline | None:
    """The answered unperturbed sentences of a model; None if there is none."""
    tables = [t for t in read_maps(parts, {"model": model, "perturbation": "none"}) if len(t)]
    if not tables:
        return None
    everything = [np.arange(len(table)) for table in tables]
    return Baseline(
        model=model,
        sentence_ids=[v for table in tables for v in table.values("sentence_id")],
        images=[v for table in tables for v in table.values("image_id")],
        patients=[v for table in tables for v in table.values("patient_id")],
        wordings=[_wording(v) for table in tables for v in table.values("text")],
        boxes=[v for table, rows in zip(tables, everything, strict=True) for v in table.boxes(rows)],
        frames=[v for table, rows in zip(tables, everything, strict=True) for v in table.frames(rows)],
        maps=np.stack([v for table, rows in zip(tables, everything, strict=True) for v in table.maps(rows)]),
        opt_out=np.concatenate([table.numbers("opt_out") for table in tables]),
    )


def _wording(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def without_a_model(baseline: Baseline) -> Iterator[Control]:
    """`uniform`, `centre_prior` and `oracle` on the baseline's cells."""
    count, frame = len(baseline.maps), baseline.frames[0]
    nothing = np.zeros(count)
    coverage = controls.oracle(
        [exact_boxes(boxes, f) for boxes, f in zip(baseline.boxes, baseline.frames, strict=True)],
        baseline.grid,
        frame_size=(frame.height, frame.width),
        domains=[f.image_rect for f in baseline.frames],
    )
    yield Control("uniform", controls.uniform(count, baseline.grid), nothing)
    yield Control("centre_prior", controls.centre_prior(coverage, baseline.patients), nothing)
    yield Control("oracle", coverage, nothing)


def text_blind(baseline: Baseline) -> Control:
    """For each sentence the mean of its image's maps: it cannot read."""
    images = baseline.images
    return Control(
        "text_blind", controls.text_blind(baseline.maps, images), controls.text_blind(baseline.opt_out, images)
    )


def image_blind(baseline: Baseline) -> Control:
    """For each sentence the mean map of the same wording on other patients' images: it cannot see."""
    wordings, patients = baseline.wordings, baseline.patients
    return Control(
        "image_blind",
        controls.image_blind(baseline.maps, wordings, patients),
        controls.image_blind(baseline.opt_out, wordings, patients),
    )


def score_control(
    control: Control, boxes: Sequence[tuple[Box, ...]], frames: Sequence[Frame], profiles: Sequence[Profile]
) -> Columns:
    """``<profile>_<metric>`` → (N,), NaN where the control has no map. `boxes` may be those of another arm."""
    opt_out = np.nan_to_num(control.opt_out)
    items = [Scorable(m, float(o), b, f) for m, o, b, f in zip(control.maps, opt_out, boxes, frames, strict=True)]
    return {f"{p}_{metric}": values for p in profiles for metric, values in score_all(items, p).items()}
