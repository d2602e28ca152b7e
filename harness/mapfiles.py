"""The maps of a run as files: one `maps.npz`, or one for each part, written part by part so that memory stays bounded.

Each holds `maps` (rows, R, C) float32 in the order of the cases; NaN where there is no map. Grids smaller than the
largest are filled up with NaN at the end.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from harness.results import RunDirectory, write_npz
from harness.summary.cases import CaseTable

Grid = tuple[int, int]
NAME = "maps"


def write_maps(run: RunDirectory, cases: CaseTable, parts: Sequence[Path], how: bool | Literal["sharded"]) -> None:
    """Write the maps of all rows in one file, in one for each part, or not at all."""
    grid = largest_grid(cases)
    if how == "sharded":
        for number, block in enumerate(_blocks(parts, grid)):
            write_npz(run.map_shard(number), NAME, block.shape, iter([block]))
    elif how:
        write_npz(run.maps, NAME, (len(cases), *grid), _blocks(parts, grid))


def largest_grid(cases: CaseTable) -> Grid:
    """Rows and columns that hold every map; (1, 1) without any."""
    rows, cols = (int(np.nanmax(cases.numbers(name), initial=1)) for name in ("grid_rows", "grid_cols"))
    return rows, cols


def _blocks(parts: Sequence[Path], grid: Grid) -> Iterator[npt.NDArray[np.float32]]:
    for part in parts:
        table = CaseTable.read(part)
        block = np.full((len(table), *grid), np.nan, dtype=np.float32)
        answered = np.flatnonzero(table.equals("status", "ok"))
        for row, values in zip(answered, table.maps(answered), strict=True):
            block[row, : values.shape[0], : values.shape[1]] = values
        yield block
