"""A model's answered unperturbed sentences, part by part: what the controls are made of and held against."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from harness.case import Box
from harness.others import NOBODY
from harness.perturbation.base import UNPERTURBED
from harness.summary.cases import CaseTable, Index, answered
from wronglung.geometry import Frame

Array = npt.NDArray[np.float64]
FACTS = (
    "model",
    "perturbation",
    "status",
    "stratum",
    "sentence_id",
    "patient_id",
    "text",
    "meaning",
    "frame",
    "grid_rows",
    "grid_cols",
)


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What must be known of a model's N sentences before the controls can be made: some bytes for each."""

    patients: npt.NDArray[np.int32]
    """(N,) equal for sentences of one patient."""
    wordings: npt.NDArray[np.int64]
    """(N,) equal for the same words, whatever their case and punctuation."""
    meanings: npt.NDArray[np.int64]
    """(N,) equal for what says the same, however it is worded; `NOBODY` where that is not annotated."""
    grid: tuple[int, int]
    """Rows and columns of the maps."""
    geometry: str
    """Equal for models whose maps lie on the same cells of the same sentences."""


def read_facts(parts: Sequence[Path], model: str) -> Facts | None:
    """None if the model has not answered a single sentence."""
    patients: dict[str, int] = {}
    codes: list[npt.NDArray[np.int64]] = []
    cells = hashlib.sha256()
    grid: tuple[int, int] | None = None
    for part in parts:
        cases = CaseTable(pq.read_table(part, columns=list(FACTS)))
        rows = answered(cases, model, UNPERTURBED)
        owners = [patients.setdefault(patient, len(patients)) for patient in cases.values("patient_id", rows)]
        said = [_code(wording(text)) for text in cases.values("text", rows)]
        meant = [NOBODY if value is None else value for value in cases.values("meaning", rows)]
        codes.append(np.array([owners, said, meant], dtype=np.int64))
        shapes = list(zip(cases.values("grid_rows", rows), cases.values("grid_cols", rows), strict=True))
        grid = shapes[0] if grid is None and shapes else grid
        cells.update(repr((shapes, cases.values("sentence_id", rows), cases.values("frame", rows))).encode())
    if grid is None:
        return None
    owners_, said_, meant_ = np.concatenate(codes, axis=1)
    return Facts(owners_.astype(np.int32), said_, meant_, grid, cells.hexdigest())


def wording(text: str) -> str:
    """A sentence's words, without case and punctuation."""
    return " ".join(re.findall(r"\w+", text.lower()))


def _code(text: str) -> int:
    """63 bits that stand for a text: two of a million texts share theirs with a chance of 1 in 10⁷."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 1


@dataclass(frozen=True, slots=True, eq=False)
class Arm:
    """The same sentences under a perturbation that leaves the image as it is: m of them."""

    places: Index
    """(m,) their numbers in the block."""
    boxes: list[tuple[Box, ...]]
    frames: list[Frame]


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The sentences of one part: n of them, with their maps, which share grid and frame size."""

    start: int
    """Number of the first among all of the model."""
    images: list[str]
    boxes: list[tuple[Box, ...]]
    frames: list[Frame]
    maps: npt.NDArray[np.float32]
    """(n, R, C)."""
    opt_out: Array
    """(n,) NaN where that is not known."""
    arms: dict[str, Arm]


def read_blocks(parts: Sequence[Path], model: str, perturbations: Sequence[str] = ()) -> Iterator[Block]:
    """Every part's block, with the arms of these perturbations; one in memory at a time."""
    start = 0
    for part in parts:
        cases = _of_model(part, model)
        rows = answered(cases, model, UNPERTURBED)
        if len(rows):
            yield Block(
                start=start,
                images=cases.values("image_id", rows),
                boxes=cases.boxes(rows),
                frames=cases.frames(rows),
                maps=np.stack(cases.maps(rows)),
                opt_out=cases.numbers("opt_out", rows),
                arms={p: _arm(cases, model, p, rows) for p in perturbations if p != UNPERTURBED},
            )
            start += len(rows)


def _of_model(part: Path, model: str) -> CaseTable:
    table = pq.read_table(part)
    cases = CaseTable(table)
    return CaseTable(table.filter(pa.array(cases.equals("model", model) & cases.equals("status", "ok"))))


def _arm(cases: CaseTable, model: str, perturbation: str, base: Index) -> Arm:
    """The answered rows of an arm that were sent with the very bytes of the unperturbed case."""
    rows = answered(cases, model, perturbation)
    sent = cases.values("image_sha256")
    place_of = {sentence: place for place, sentence in enumerate(cases.sentence_ids[base])}
    places = [place_of.get(sentence, -1) for sentence in cases.sentence_ids[rows]]
    same = [place >= 0 and sent[row] == sent[base[place]] for row, place in zip(rows, places, strict=True)]
    kept = rows[np.array(same, dtype=bool)]
    return Arm(np.array(places, dtype=np.intp)[np.array(same, dtype=bool)], cases.boxes(kept), cases.frames(kept))
