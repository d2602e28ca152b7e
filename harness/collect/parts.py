"""Parts: blocks of consecutive images, each written as soon as it is complete, so that a killed run can go on."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.collect.code import code_digest
from harness.collect.gather import AnsweredImage, Answering, Collector, Reading, Row, rows_of
from harness.collect.partfile import Note, check_part, write_part
from harness.collect.plan import ImagePlan, make_plan
from harness.collect.routes import MapSource
from harness.collect.rows import table_of
from harness.collect.shards import WHOLE, Shard, owners
from harness.dataset.base import Dataset
from harness.metrics import registered
from harness.perturbation.base import Perturbation
from harness.results import RunDirectory, json_bytes
from harness.runconfig import RunConfig
from harness.subsets import Membership


class RunError(RuntimeError):
    """A run cannot go on. The message says what to do."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """How the images of a run are cut into parts, and which of them one shard of it collects.

    Part k of a shard holds its images among those of part k of the run: the parts k of all shards make up part k.
    """

    shard: Shard
    mine: npt.NDArray[np.bool_]
    """(images of the run,) whether each belongs to the shard; all of them for a run that is not split."""
    images_per_part: int

    @property
    def run_images(self) -> int:
        """Images of the run."""
        return len(self.mine)

    @property
    def images(self) -> int:
        """Images of the shard."""
        return int(self.mine.sum())

    @property
    def numbers(self) -> list[int]:
        """The number of every part that is not empty."""
        return [number for number in range(-(-self.run_images // self.images_per_part)) if self.size(number)]

    def span(self, number: int) -> tuple[int, int]:
        """First image of a part of the run and the first after it."""
        start = number * self.images_per_part
        return start, min(start + self.images_per_part, self.run_images)

    def size(self, number: int) -> int:
        """Images of the shard in a part."""
        start, stop = self.span(number)
        return int(self.mine[start:stop].sum())

    def part_of(self, index: int) -> int:
        """The part that an image belongs to."""
        return index // self.images_per_part


def layout_of(config: RunConfig, dataset: Dataset, shard: Shard = WHOLE) -> Layout:
    """The parts of a run, or of one shard of it."""
    images = min(len(dataset), config.limit or len(dataset))
    whole = shard == WHOLE
    mine = np.ones(images, dtype=bool) if whole else owners(islice(dataset, images), shard.count) == shard.index
    return Layout(shard, mine, config.images_per_part)


PART_KEYS = ("models", "maps_from", "perturbations", "subsets", "strata", "seed", "images_per_part")
"""Settings that the rows of a part depend on."""


def fingerprint(config: RunConfig, dataset: Dataset, sources: Mapping[str, MapSource]) -> str:
    """Equal for runs whose parts can be mixed: it covers all that the rows depend on but the server's weights: the
    records, the settings, the maps made elsewhere, the declared metrics and the code that makes rows."""
    protocols = {p: [m.protocols[p].name for m in registered(p)] for p in config.profiles}
    fields = config.model_dump(mode="json", include=set(PART_KEYS))
    maps = {model: source.identity.weights_digest for model, source in sources.items()}
    return hashlib.sha256(json_bytes([dataset.digest, fields, maps, protocols, code_digest()])).hexdigest()


def missing_parts(run: RunDirectory, layout: Layout, print_: str) -> list[int]:
    """The parts that are not there, or not whole.

    Raises:
        RunError: there are parts of another run, or made by other code.
    """
    missing = []
    for number in layout.numbers:
        note = check_part(run.part(number))
        if note is not None and note["fingerprint"] != print_:
            other = "code" if note["code"] != code_digest() else "configuration, data set or maps made elsewhere"
            raise RunError(
                f"{run.parts} holds parts of a run with another {other}: "
                "run without --resume to start anew, or choose another --out"
            )
        if note is None or tuple(note["images"]) != layout.span(number) or note["shard"] != str(layout.shard):
            missing.append(number)
    return missing


def note_of(print_: str, layout: Layout, number: int, models: Mapping[str, Any]) -> Note:
    """What a part says of itself."""
    return {
        "fingerprint": print_,
        "code": code_digest(),
        "shard": str(layout.shard),
        "images": layout.span(number),
        "models": models,
    }


@dataclass(frozen=True, slots=True)
class PartMaker:
    """Collects parts and writes them."""

    config: RunConfig
    dataset: Dataset
    perturbations: Sequence[Perturbation]
    subsets: Mapping[str, Membership]
    run: RunDirectory
    layout: Layout
    fingerprint: str

    def make(self, numbers: Sequence[int], exchange: Answering, progress: Callable[[int], None]) -> None:
        """Collect these parts; `progress` is told of every image that is complete."""
        collector = Collector(exchange, self.config.models)
        images = _told(collector.run(self._plans(frozenset(numbers))), progress)
        for number, block in group(images, self.layout):
            self._write(number, block)

    def _plans(self, numbers: frozenset[int]) -> Iterator[ImagePlan]:
        for index, record in enumerate(islice(self.dataset, self.layout.run_images)):
            if self.layout.mine[index] and self.layout.part_of(index) in numbers:
                yield make_plan(index, record, self.perturbations)

    def _write(self, number: int, images: Sequence[AnsweredImage]) -> None:
        rows = rows_of(images, self.config.models)
        table = table_of(rows, self.subsets, self.config.profiles)
        note = note_of(self.fingerprint, self.layout, number, served_models(rows))
        write_part(self.run.part(number), table, note)


def _told(images: Iterable[AnsweredImage], progress: Callable[[int], None]) -> Iterator[AnsweredImage]:
    for image in images:
        progress(1)
        yield image


def group(images: Iterable[AnsweredImage], layout: Layout) -> Iterator[tuple[int, list[AnsweredImage]]]:
    """Gather images, coming in any order, into complete parts with their images in order."""
    waiting: dict[int, list[AnsweredImage]] = {}
    for image in images:
        number = layout.part_of(image.plan.index)
        block = waiting.setdefault(number, [])
        block.append(image)
        if len(block) == layout.size(number):
            yield number, sorted(waiting.pop(number), key=lambda answered: answered.plan.index)


def served_models(rows: Iterable[Row]) -> dict[str, dict[str, Any]]:
    """Model → which weights answered, and whether repeatably.

    Raises:
        RunError: a model's weights changed between two answers.
    """
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        if isinstance(row.outcome, Reading):
            identity = row.outcome.identity
            merge_served(
                found,
                row.model,
                {
                    "version": identity.version,
                    "weights_digest": identity.weights_digest,
                    "deterministic": row.outcome.deterministic,
                    "grid": list(row.outcome.map.shape),
                },
            )
    return found


def merge_served(found: dict[str, dict[str, Any]], model: str, node: dict[str, Any]) -> None:
    """Note which weights answered for a model.

    Raises:
        RunError: others answered before.
    """
    if found.setdefault(model, node) != node:
        raise RunError(
            f"model {model!r} was served with other weights or settings at the start of this run: "
            "run without --resume, and do not roll out a model meanwhile"
        )
