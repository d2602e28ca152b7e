"""The layout of the study's outputs: `sentences.csv`, and one array for each of its rows in `attn/`.

    dicom_sent_id  names the file attn/<dicom_sent_id>.npy
    dicom_id       the image, as the data set calls it (with or without .dcm)
    sentence       the text that the map belongs to
    attn_bboxes    optional: the detected boxes of which the file has one weight each
    local_sims, global_sims    optional: similarities

Other columns are not read: boxes and patients are those of the run's data set. A map belongs to an image and a text, so
a folder of perturbed sentences is read like any other.
"""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harness.collect.exchange import Failure
from harness.collect.gather import Reading, Readings
from harness.collect.plan import Shipment
from harness.dataset.base import Findings
from harness.settings import ConfigError
from harness.sources.arrays import read_npy
from harness.sources.checks import UnusableMap, check_map, opt_out_mass
from harness.sources.config import StudyMapsConfig
from harness.sources.keys import NO_MAP, Key, key_of
from harness.sources.regions import paint, read_boxes
from harness.sources.tables import read_csv
from wronglung.alignment import ModelIdentity
from wronglung.geometry import Frame

TABLE = "sentences.csv"
REQUIRED = ("dicom_sent_id", "dicom_id", "sentence")


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the table."""

    file: Path
    boxes: str | None
    """`attn_bboxes` as written; None if the table has no such column."""
    local_similarity: float
    global_similarity: float


class StudyMaps:
    """The maps of one folder, by image and text. Memory holds the table; maps are read when they are asked for."""

    def __init__(self, model: str, config: StudyMapsConfig) -> None:
        """Read the table and the digests of all files.

        Raises:
            ConfigError: there is no table that can be read, or nothing in it.
        """
        self.findings = Findings()
        self._config = config
        self._entries = dict(_entries(config.path, self.findings))
        if not self._entries:
            raise ConfigError(f"{config.path / TABLE} has no row that can be used: {self._first_finding()}")
        self._grid = self._first_grid()
        self.identity = ModelIdentity(model, "maps:study", _digest(config.path, self._entries))

    def __len__(self) -> int:
        """Rows that can be asked for."""
        return len(self._entries)

    def __contains__(self, key: Key) -> bool:
        """Whether there is a row for this image and text; its map may still be broken."""
        return key in self._entries

    def answer(self, shipment: Shipment) -> Readings:
        """What the folder has for each sentence of a request."""
        frame = self._config.frame.frame(*shipment.size)
        return tuple(self._read(key_of(shipment.image_id, text), frame) for text in shipment.sentences)

    def _read(self, key: Key, frame: Frame) -> Reading | Failure:
        entry = self._entries.get(key)
        if entry is None:
            return Failure(NO_MAP, f"{self._config.path / TABLE} has no row for this text on this image")
        try:
            values, opt_out = self._map(entry, frame)
        except UnusableMap as error:
            return Failure(error.code, str(error))
        return Reading(
            map=values,
            opt_out=opt_out,
            local_similarity=entry.local_similarity,
            global_similarity=entry.global_similarity,
            words=None,
            truncated=None,
            frame=frame,
            identity=self.identity,
            deterministic=True,
        )

    def _map(self, entry: Entry, frame: Frame) -> tuple[npt.NDArray[np.float32], float]:
        where, values = str(entry.file), read_npy(entry.file)
        if entry.boxes is not None:
            values = paint(values, read_boxes(entry.boxes, where), frame, self._config.regions, where)
        grid = check_map(values, where)
        if entry.boxes is None and grid.shape != self._grid:
            raise UnusableMap("MAP_INVALID", f"{where}: a grid of {grid.shape}, others here have {self._grid}")
        return grid, opt_out_mass(float(values.sum(dtype=np.float64)), self._config.opt_out, where)

    def _first_grid(self) -> tuple[int, ...] | None:
        """The shape of the first map that can be read: all maps of a model share one grid. Those that are painted do by
        themselves."""
        for entry in self._entries.values():
            if entry.boxes is not None:
                return None
            try:
                return check_map(read_npy(entry.file), str(entry.file)).shape
            except UnusableMap:
                continue  # told when the map is asked for
        return None

    def _first_finding(self) -> str:
        return next((text for texts in self.findings.examples.values() for text in texts), "it is empty")


def _entries(folder: Path, findings: Findings) -> Iterator[tuple[Key, Entry]]:
    """Every row that can be used, once for each image and text."""
    seen: set[Key] = set()
    for line, row in read_csv(folder / TABLE, REQUIRED):
        where = f"{TABLE} line {line}"
        name = row["dicom_sent_id"] or ""
        if not name or Path(name).name != name or not row["dicom_id"] or not (row["sentence"] or "").strip():
            findings.leave_out("row_unusable", where, f"needs {', '.join(REQUIRED)}; the first becomes a file's name")
            continue
        key = key_of(row["dicom_id"], row["sentence"])
        if key in seen:
            findings.leave_out("sentence_repeated", where, "an earlier row has this text on this image")
            continue
        seen.add(key)
        yield (
            key,
            Entry(
                file=folder / "attn" / f"{name}.npy",
                boxes=row.get("attn_bboxes"),
                local_similarity=_number(row.get("local_sims"), where, findings),
                global_similarity=_number(row.get("global_sims"), where, findings),
            ),
        )


def _number(text: str | None, where: str, findings: Findings) -> float:
    """A similarity; NaN where there is none."""
    if not text:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.inf
    if math.isinf(value):
        findings.warn("similarity_unreadable", where, f"{text!r} is no number, and was taken for none")
        return math.nan
    return value


def _digest(folder: Path, entries: dict[Key, Entry]) -> str:
    """SHA-256 in hex over the table and every file that it names, in its order; a missing file counts as missing."""
    sha = hashlib.sha256((folder / TABLE).read_bytes())
    for entry in entries.values():
        try:
            sha.update(hashlib.sha256(entry.file.read_bytes()).digest())
        except OSError:
            sha.update(b"missing")
    return sha.hexdigest()
