"""Our own layout: `cases.parquet` and the maps of its rows, as `harness run` writes them with `save_maps`.

    image_id, text     required: which map is whose; a map belongs to an image and a text
    model, status      if there: only rows of one model with status ok are read
    perturbation       if there: rows of mirrored images are left out
    opt_out, local_similarity, global_similarity, words, truncated    if there; null is not known
    frame              if there: the rectangle that the grid covers; else as the run file says
    grid_rows, grid_cols    if there: the part of the array that is the map; the rest is filled up

The maps lie in `maps.npz` or, one after the other in the order of their names, in `maps/*.npz`: an array `maps`
(rows, R, C) of float32, row i for row i of the table.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from harness.collect.exchange import Failure
from harness.collect.gather import Reading, Readings
from harness.collect.plan import Shipment
from harness.dataset.base import Findings
from harness.results import RunDirectory
from harness.settings import ConfigError
from harness.sources.arrays import ArrayFiles
from harness.sources.checks import UnusableMap, check_map, opt_out_mass
from harness.sources.config import SavedMapsConfig
from harness.sources.keys import NO_MAP, Key, key_of
from harness.sources.savedtable import TableRow, chosen_rows, read_cases
from wronglung.alignment import ModelIdentity
from wronglung.geometry import Frame

_MIRRORED = "mirror_"


class SavedMaps:
    """The maps of one model in a folder, by image and text. Memory holds the table; maps are read when asked for."""

    def __init__(self, model: str, config: SavedMapsConfig) -> None:
        """Read the table, the headers of the arrays and the digests of all files.

        Raises:
            ConfigError: a file is missing, or not as described above.
        """
        self.findings = Findings()
        self._config = config
        run = RunDirectory(config.path)
        files = [run.maps] if run.maps.is_file() else sorted(run.map_shards.glob("*.npz"))
        if not files:
            raise ConfigError(f"{config.path} has neither maps.npz nor maps/*.npz: run with save_maps")
        self._arrays = ArrayFiles(files)
        table = read_cases(run.cases)
        if table.num_rows != len(self._arrays):
            raise ConfigError(f"{run.cases} has {table.num_rows} rows, its maps {len(self._arrays)}: not one run's")
        self._rows = self._index(table, config.model or model)
        self._grid = next(map(self._grid_of, self._rows.values()), None)
        self.identity = ModelIdentity(model, "maps:saved", _digest([run.cases, *files]))

    def __len__(self) -> int:
        """Rows that can be asked for."""
        return len(self._rows)

    def __contains__(self, key: Key) -> bool:
        """Whether there is a row for this image and text; its map may still be broken."""
        return key in self._rows

    def answer(self, shipment: Shipment) -> Readings:
        """What the folder has for each sentence of a request."""
        frame = self._config.frame.frame(*shipment.size)
        return tuple(self._read(key_of(shipment.image_id, text), frame) for text in shipment.sentences)

    def _read(self, key: Key, frame: Frame) -> Reading | Failure:
        row = self._rows.get(key)
        if row is None:
            return Failure(NO_MAP, f"{self._config.path} has no row for this text on this image")
        try:
            return self._reading(row, frame)
        except UnusableMap as error:
            return Failure(error.code, str(error))

    def _reading(self, row: TableRow, frame: Frame) -> Reading:
        where, values = f"{self._config.path} row {row.number}", self._arrays.row(row.number)
        rows, cols = self._grid_of(row)
        if (rows, cols) != self._grid:
            raise UnusableMap("MAP_INVALID", f"{where}: a grid of {(rows, cols)}, others here have {self._grid}")
        grid = check_map(values[:rows, :cols], where)
        given = row.values.get("frame")
        return Reading(
            map=grid,
            opt_out=self._opt_out(row, float(grid.sum(dtype=np.float64)), where),
            local_similarity=_number(row.values.get("local_similarity")),
            global_similarity=_number(row.values.get("global_similarity")),
            words=row.values.get("words"),
            truncated=row.values.get("truncated"),
            frame=frame if given is None else _frame(given, frame, where),
            identity=self.identity,
            deterministic=True,
        )

    def _grid_of(self, row: TableRow) -> tuple[int, int]:
        """All maps of a model share one grid: that of the first."""
        rows, cols = self._arrays.grid(row.number)
        given = row.values.get("grid_rows"), row.values.get("grid_cols")
        return rows if given[0] is None else min(given[0], rows), cols if given[1] is None else min(given[1], cols)

    def _opt_out(self, row: TableRow, total: float, where: str) -> float:
        if "opt_out" not in row.values:
            return opt_out_mass(total, self._config.opt_out, where)
        mass = _number(row.values["opt_out"])
        if not np.isnan(mass) and not 0 <= mass <= 1:
            raise UnusableMap("MAP_INVALID", f"{where}: an opt-out mass of {mass} is outside 0 … 1")
        return mass

    def _index(self, table: pa.Table, model: str) -> dict[Key, TableRow]:
        rows: dict[Key, TableRow] = {}
        for number in chosen_rows(table, model, self._config.path):
            values = {name: column[number].as_py() for name, column in zip(table.column_names, table, strict=True)}
            key = key_of(values.pop("image_id") or "", values.pop("text") or "")
            if (values.pop("perturbation", "") or "").startswith(_MIRRORED):
                self.findings.leave_out("mirrored", f"row {number}", "maps of mirrored images are not read")
            elif not all(key):
                self.findings.leave_out("row_unusable", f"row {number}", "needs image_id and text")
            else:
                rows.setdefault(key, TableRow(number, values))
        return rows


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _frame(given: dict[str, Any], expected: Frame, where: str) -> Frame:
    """The frame of a row.

    Raises:
        UnusableMap: it is incomplete, or that of an image of another size.
    """
    try:
        frame = Frame(**given)
    except (TypeError, ValueError) as error:
        raise UnusableMap("MAP_INVALID", f"{where}: {error}") from error
    if (frame.image_width, frame.image_height) != (expected.image_width, expected.image_height):
        raise UnusableMap("MAP_INVALID", f"{where}: its frame is that of an image of another size")
    return frame


def _digest(files: list[Path]) -> str:
    """SHA-256 in hex over all files, in order."""
    sha = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            sha.update(hashlib.file_digest(file, "sha256").digest())
    return sha.hexdigest()
