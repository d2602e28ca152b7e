"""The pictures of a report: which sentences to show, their images made small, their maps under each arm."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from harness.case import Box, ImageRecord
from harness.dataset.base import Dataset
from harness.perturbation.base import stable_seed
from harness.results import RunDirectory, write_bytes, write_json
from harness.runconfig import RunConfig
from harness.summary.cases import CaseTable, answered
from wronglung.images import decode

LONGER_SIDES = (512, 448, 384, 320, 256, 192)
"""Pixels: the first of these at which a picture keeps within its bytes; the last in any case."""
PICTURE_BYTES = 48 * 1024
"""So many pictures make a report of so many times 64 KiB, for base64 takes a third more."""
QUALITY = 85
SHOWN = ("none", "swap_left_right")
SWAP = "swap_left_right"
OWN_SIDE = "exact_preference"
"""Share of the side that the sentence names as written in the attention on both sides."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A sentence to show, and why."""

    kind: str
    sentence_id: str
    image_id: str


def choose(cases: CaseTable, config: RunConfig) -> list[Choice]:
    """The sentences to show: at most one of an image for each kind, ties broken by the sentence's id."""
    profile = _profile(cases)
    auroc = _mean_over_models(cases, config.models, "none", f"{profile}_auroc")
    lot = {s: float(stable_seed(config.seed, "gallery", s)) for s in auroc}
    image_of = dict(zip(cases.sentence_ids, cases.values("image_id"), strict=True))
    wanted = config.gallery
    return [
        *_first("best", {s: -value for s, value in auroc.items()}, wanted.best, image_of),
        *_first("worst", auroc, wanted.worst, image_of),
        *_first("ignores_swap", _response(cases, config.models), wanted.ignores_swap, image_of),
        *_first("random", lot, wanted.random, image_of),
    ]


def _profile(cases: CaseTable) -> str:
    """The profile that the pictures are chosen by and labelled with: `exact` if the run has it."""
    return "exact" if "exact_auroc" in cases.table.column_names else "paper"


def _response(cases: CaseTable, models: Sequence[str]) -> dict[str, float]:
    """Sentence id → how much the maps respond to the swap, the most blatant first: the attention that lies on the side
    that is named once left and right are exchanged; without the profile `exact`, how much the maps move."""
    if OWN_SIDE not in cases.table.column_names:
        return _mean_over_models(cases, models, SWAP, "paper_kl")
    stays = _mean_over_models(cases, models, SWAP, OWN_SIDE)
    return {sentence: 1.0 - share for sentence, share in stays.items()}


def _mean_over_models(cases: CaseTable, models: Sequence[str], perturbation: str, column: str) -> dict[str, float]:
    """Sentence id → mean of the column over the models; only sentences for which every model has a value."""
    found: dict[str, list[float]] = {}
    for model in models:
        rows = answered(cases, model, perturbation)
        for sentence, value in zip(cases.sentence_ids[rows], cases.numbers(column, rows), strict=True):
            if not np.isnan(value):
                found.setdefault(sentence, []).append(float(value))
    return {sentence: float(np.mean(values)) for sentence, values in found.items() if len(values) == len(models)}


def _first(kind: str, keys: Mapping[str, float], count: int, image_of: Mapping[str, str]) -> list[Choice]:
    """The sentences with the lowest keys, no two of one image."""
    chosen: dict[str, Choice] = {}
    for sentence in sorted(keys, key=lambda s: (keys[s], s)):
        if len(chosen) == count:
            break
        chosen.setdefault(image_of[sentence], Choice(kind, sentence, image_of[sentence]))
    return list(chosen.values())


def write_gallery(
    run: RunDirectory, cases: CaseTable, parts: Sequence[Path], dataset: Dataset, config: RunConfig
) -> None:
    """Write `gallery/index.json` and one small JPEG for each sentence that is shown."""
    choices = choose(cases, config)
    arms = _arms(parts, {choice.sentence_id for choice in choices})
    wanted = {choice.image_id for choice in choices}
    records = {record.image_id: record for record in dataset if record.image_id in wanted}
    entries: list[dict[str, Any]] = []
    for choice in choices:
        name = f"{len(entries)}.jpg"
        write_bytes(run.gallery / name, small_jpeg(records[choice.image_id].load()))
        entries.append(_entry(choice, name, records[choice.image_id], arms[choice.sentence_id]))
    write_json(run.gallery / "index.json", entries)


def _entry(choice: Choice, name: str, record: ImageRecord, arms: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One entry of `index.json`; all its arms lie in one frame."""
    sentence = next(s for s in record.sentences if s.sentence_id == choice.sentence_id)
    return {
        "kind": choice.kind,
        "image": name,
        "image_size": [record.width, record.height],
        "frame": arms[0]["frame"],
        "image_id": record.image_id,
        "sentence_id": choice.sentence_id,
        "sentence": sentence.text,
        "boxes": [_box_entry(box) for box in sentence.boxes],
        "arms": [{key: arm[key] for key in arm if key != "frame"} for arm in arms if arm["frame"] == arms[0]["frame"]],
    }


def _box_entry(box: Box) -> dict[str, Any]:
    entry = {"name": box.name, "box_xyxy": list(box.xyxy)}
    return {**entry, "mask": asdict(box.mask)} if box.mask else entry


def _arms(parts: Sequence[Path], sentences: set[str]) -> dict[str, list[dict[str, Any]]]:
    """Sentence id → its answered arms with their maps, in the order of the rows."""
    found: dict[str, list[dict[str, Any]]] = {}
    for part in parts:
        cases = CaseTable.read(part)
        shown = cases.equals("status", "ok") & np.isin(cases.values("perturbation"), SHOWN)
        rows = np.flatnonzero(shown & np.isin(cases.sentence_ids.astype(str), sorted(sentences)))
        for sentence, arm in zip(cases.sentence_ids[rows], _arm_values(cases, rows), strict=True):
            found.setdefault(sentence, []).append(arm)
    return found


def _arm_values(cases: CaseTable, rows: npt.NDArray[np.intp]) -> Iterator[dict[str, Any]]:
    columns = {
        "model": cases.values("model", rows),
        "perturbation": cases.values("perturbation", rows),
        "text": cases.values("text", rows),
        "frame": [asdict(frame) for frame in cases.frames(rows)],
        "rows": cases.values("grid_rows", rows),
        "cols": cases.values("grid_cols", rows),
        "map": [[float(value) for value in m.ravel()] for m in cases.maps(rows)],
        "opt_out_mass": cases.values("opt_out", rows),
        "auroc": cases.values(f"{_profile(cases)}_auroc", rows),
        "preference": _own_side(cases, rows),
    }
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))


def _own_side(cases: CaseTable, rows: npt.NDArray[np.intp]) -> list[float | None]:
    known = OWN_SIDE in cases.table.column_names
    return cases.values(OWN_SIDE, rows) if known else [None] * len(rows)


def small_jpeg(data: bytes) -> bytes:
    """An encoded radiograph as an 8-bit grey JPEG: its longer side at most 512 pixels, and fewer until it is at most
    `PICTURE_BYTES` long, if 192 pixels suffice for that."""
    pixels = decode(data)
    original = Image.fromarray(pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8))
    encoded = b""
    for side in LONGER_SIDES:
        encoded = _jpeg(original, side)
        if len(encoded) <= PICTURE_BYTES:
            break
    return encoded


def _jpeg(original: Image.Image, side: int) -> bytes:
    image = original.copy()
    image.thumbnail((side, side), Image.Resampling.BOX)
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=QUALITY, optimize=True)
    return buffer.getvalue()
