"""The controls of a run, scored on the same sentences as the models, part by part: maps are never all in memory.

A model's parts are read three times: for what its sentences say and whose they are, for the sums that its blind
controls and the centre prior are made of, and to score. The scores lie in files.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from harness import controls
from harness.case import Box
from harness.collect.scoring import Scorable, score_all
from harness.columns import ColumnFile
from harness.metrics.label import exact_boxes
from harness.metrics.registry import Profile
from harness.others import Groups, OtherPatients, SumsInFile
from harness.summary.blocks import Block, Facts, read_blocks, read_facts
from wronglung.geometry import Frame

Array = npt.NDArray[np.float64]
Columns = dict[str, Array]
Scores = Mapping[str, ColumnFile]
"""control → its metrics on a model's sentences."""


@dataclass(frozen=True, slots=True, eq=False)
class Control:
    """Maps that stand in for a model's, one for each of n sentences."""

    name: str
    maps: Array
    """(n, R, C); NaN where the control has none."""
    opt_out: Array
    """(n,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """The controls of one model on its answered unperturbed sentences."""

    model: str
    geometry: str
    own: Scores
    """Made of its own maps."""
    free: Scores
    """Made without a model; the very same for models of one geometry."""
    moved: Mapping[str, tuple[ColumnFile, ColumnFile]]
    """perturbation → the text-blind map against each arm's boxes, and against the sentence's own."""


@dataclass(slots=True)
class ControlScorer:
    """Scores the controls of all models of a run; its files lie in `folder`."""

    parts: Sequence[Path]
    perturbations: Sequence[str]
    profiles: Sequence[Profile]
    folder: Path
    _free: dict[str, Scores] = field(default_factory=dict)
    """geometry → scores of the controls without a model."""
    _files: int = 0

    def score(self, model: str) -> Scored | None:
        """None if the model has not answered a single sentence."""
        facts = read_facts(self.parts, model)
        if facts is None:
            return None
        own: dict[str, ColumnFile] = {}
        moved: dict[str, tuple[ColumnFile, ColumnFile]] = {}
        free = self._free.get(facts.geometry)
        new: dict[str, ColumnFile] = {}
        with ExitStack() as stack:
            blind = _Blind(facts, lambda: stack.enter_context(self._new_path().open("w+b")), prior=free is None)
            for block in read_blocks(self.parts, model):
                blind.add(block)
            for block in read_blocks(self.parts, model, self.perturbations):
                scores = {c.name: self._append(own, c, block) for c in blind.of_the_model(block)}
                self._append_moved(moved, block, scores["text_blind"])
                for control in blind.without_a_model(block):
                    self._append(new, control, block)
        self._free.setdefault(facts.geometry, new)
        return Scored(model, facts.geometry, own, self._free[facts.geometry], moved)

    def _append(self, files: dict[str, ColumnFile], control: Control, block: Block) -> Columns:
        columns = score_control(control, block.boxes, block.frames, self.profiles)
        if control.name not in files:
            files[control.name] = ColumnFile(self._new_path())
        files[control.name].append(columns)
        return columns

    def _append_moved(self, files: dict[str, tuple[ColumnFile, ColumnFile]], block: Block, own: Columns) -> None:
        control = text_blind(block)
        for perturbation, arm in block.arms.items():
            if not len(arm.places):
                continue
            there = Control(control.name, control.maps[arm.places], control.opt_out[arm.places])
            if perturbation not in files:
                files[perturbation] = ColumnFile(self._new_path()), ColumnFile(self._new_path())
            files[perturbation][0].append(score_control(there, arm.boxes, arm.frames, self.profiles))
            files[perturbation][1].append({name: values[arm.places] for name, values in own.items()})

    def _new_path(self) -> Path:
        self._files += 1
        return self.folder / f"{self._files}.columns"


class _Blind:
    """The controls of one model that need what other parts hold, made in two passes over its blocks."""

    def __init__(self, facts: Facts, new_file: Callable[[], IO[bytes]], *, prior: bool) -> None:
        def others(groups: Groups, shape: tuple[int, ...]) -> OtherPatients:
            return OtherPatients(groups, SumsInFile(new_file(), groups.places, shape))

        wordings, meanings = (Groups(says, facts.patients) for says in (facts.wordings, facts.meanings))
        self._image_blind = {
            "image_blind": (others(wordings, facts.grid), others(wordings, ())),
            "image_blind_same_meaning": (others(meanings, facts.grid), others(meanings, ())),
        }
        everybody = Groups(np.zeros(len(facts.patients), dtype=np.int8), facts.patients)
        self._prior = others(everybody, facts.grid) if prior else None

    def add(self, block: Block) -> None:
        """The first pass."""
        for maps, opt_out in self._image_blind.values():
            maps.add(block.start, block.maps)
            opt_out.add(block.start, block.opt_out)
        if self._prior is not None:
            self._prior.add(block.start, controls.summable_coverage(coverage(block)))

    def of_the_model(self, block: Block) -> Iterator[Control]:
        """The second pass: the image's mean map, which cannot read, and those of the same wording and of the same
        meaning on other patients' images, which cannot see."""
        yield text_blind(block)
        for name, (maps, opt_out) in self._image_blind.items():
            yield Control(name, maps.means(block.start, block.maps), opt_out.means(block.start, block.opt_out))

    def without_a_model(self, block: Block) -> Iterator[Control]:
        """The second pass: `uniform`, `centre_prior` and `oracle` on the block's cells, if they are wanted."""
        if self._prior is None:
            return
        oracle, nothing = coverage(block), np.zeros(len(block.maps))
        prior = self._prior.means(block.start, controls.summable_coverage(oracle))
        yield Control("uniform", controls.uniform(len(block.maps), block.maps.shape[1:]), nothing)
        yield Control("centre_prior", prior, nothing)
        yield Control("oracle", oracle, nothing)


def text_blind(block: Block) -> Control:
    """For each sentence the mean of its image's maps: it cannot read. A part holds all sentences of an image."""
    maps, opt_out = (controls.text_blind(values, block.images) for values in (block.maps, block.opt_out))
    return Control("text_blind", maps, opt_out)


def coverage(block: Block) -> Array:
    """(n, R, C): each cell's label coverage; NaN without a label."""
    frame = block.frames[0]
    return controls.oracle(
        [exact_boxes(boxes, f) for boxes, f in zip(block.boxes, block.frames, strict=True)],
        (block.maps.shape[1], block.maps.shape[2]),
        frame_size=(frame.height, frame.width),
        domains=[f.image_rect for f in block.frames],
    )


def score_control(
    control: Control, boxes: Sequence[tuple[Box, ...]], frames: Sequence[Frame], profiles: Sequence[Profile]
) -> Columns:
    """``<profile>_<metric>`` → (n,), NaN where the control has no map. `boxes` may be those of another arm."""
    items = [
        Scorable(m, float(o), b, f) for m, o, b, f in zip(control.maps, control.opt_out, boxes, frames, strict=True)
    ]
    return {f"{p}_{metric}": values for p in profiles for metric, values in score_all(items, p).items()}
