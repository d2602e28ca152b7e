"""The controls of a run, scored on the same sentences as the models: one table of metrics for each control."""

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
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
from harness.summary.meaning import Meaning
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
    """Each sentence's words, without case and punctuation."""
    meanings: list[Meaning | None]
    """What each sentence says, however it is worded; None where that is not annotated."""
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


def read_baseline(parts: Sequence[Path], model: str, meanings: Mapping[str, Meaning | None]) -> Baseline | None:
    """The answered unperturbed sentences of a model, with what each means by its id; None if there is none."""
    tables = [t for t in read_maps(parts, {"model": model, "perturbation": "none"}) if len(t)]
    if not tables:
        return None
    everything = [np.arange(len(table)) for table in tables]
    sentence_ids = [v for table in tables for v in table.values("sentence_id")]
    return Baseline(
        model=model,
        sentence_ids=sentence_ids,
        images=[v for table in tables for v in table.values("image_id")],
        patients=[v for table in tables for v in table.values("patient_id")],
        wordings=[_wording(v) for table in tables for v in table.values("text")],
        meanings=[meanings[sentence] for sentence in sentence_ids],
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
    return _image_blind("image_blind", baseline, baseline.wordings)


def image_blind_same_meaning(baseline: Baseline) -> Control:
    """The same over all sentences that say the same, however they are worded: wordings may hardly ever repeat."""
    return _image_blind("image_blind_same_meaning", baseline, baseline.meanings)


def _image_blind(name: str, baseline: Baseline, says: Sequence[Hashable | None]) -> Control:
    maps, opt_out = (controls.image_blind(v, says, baseline.patients) for v in (baseline.maps, baseline.opt_out))
    return Control(name, maps, opt_out)


def of_the_model(baseline: Baseline) -> Iterator[Control]:
    """The controls that are made of the model's own maps, one in memory at a time."""
    yield text_blind(baseline)
    yield image_blind(baseline)
    yield image_blind_same_meaning(baseline)


def score_control(
    control: Control, boxes: Sequence[tuple[Box, ...]], frames: Sequence[Frame], profiles: Sequence[Profile]
) -> Columns:
    """``<profile>_<metric>`` → (N,), NaN where the control has no map. `boxes` may be those of another arm."""
    items = [
        Scorable(m, float(o), b, f) for m, o, b, f in zip(control.maps, control.opt_out, boxes, frames, strict=True)
    ]
    return {f"{p}_{metric}": values for p in profiles for metric, values in score_all(items, p).items()}
