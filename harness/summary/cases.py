"""Reads the rows of a run back: columns as numpy arrays, and selections of rows."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.case import Box
from harness.columns import at
from harness.mask import BoxMask
from harness.summary.parquet import NumbersOf, ParquetColumns, numbers_apart, plain_values
from wronglung.geometry import Frame

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]
AT_A_TIME = 4096
"""Rows whose nested values are Python objects at one time."""


class CaseTable:
    """The rows of `cases.parquet`, or of parts, which hold the maps as well."""

    def __init__(self, table: "pa.Table | ParquetColumns", numbers: Mapping[str, Array] | None = None) -> None:
        self.table = table
        self._numbers = NumbersOf(table) if numbers is None else numbers
        self._equal: dict[tuple[str, str], Mask] = {}
        self._members: dict[str, Mask] = {}

    @classmethod
    def read(cls, path: Path) -> "CaseTable":
        """Every row of a file, in memory."""
        return cls(pq.read_table(path))

    @classmethod
    def open(cls, path: Path, numbers: Path) -> "CaseTable":
        """The rows of a file of any size: columns are read when they are asked for, numbers from a file of their own
        that is written here."""
        return cls(ParquetColumns(path), numbers_apart(path, numbers))

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def values(self, name: str, rows: Index | None = None) -> list[Any]:
        """A column as Python values, of the given rows or all."""
        column = self.table.column(name)
        return plain_values(column if rows is None else column.take(pa.array(rows)))

    def numbers(self, name: str, rows: Index | None = None) -> Array:
        """A column as float64, NaN for null."""
        values = self._numbers[name]
        return values if rows is None else values[rows]

    def known_numbers(self, name: str, rows: Index) -> Array:
        """The same for rows that may be missing: NaN for a row number below 0."""
        return at(self.numbers(name), rows)

    def equals(self, name: str, value: str) -> Mask:
        """Where a text column has this value."""
        if (name, value) not in self._equal:
            self._equal[name, value] = np.asarray(pc.equal(self.table.column(name), value).to_numpy(), dtype=bool)
        return self._equal[name, value]

    def frames(self, rows: Index) -> list[Frame]:
        """The frames of rows that were answered."""
        return [Frame(**frame) for frame in self.values("frame", rows)]

    def boxes(self, rows: Index) -> list[tuple[Box, ...]]:
        """The boxes that rows are held against."""
        return [tuple(_box(**box) for box in boxes) for boxes in self.values("boxes", rows)]

    def maps(self, rows: Index) -> list[npt.NDArray[np.float32]]:
        """(R, C) float32 for each of these rows, which were answered; only parts hold maps."""
        flat = pc.list_flatten(self.table.column("map").take(pa.array(rows)).combine_chunks()).to_numpy()
        shapes = list(zip(self.values("grid_rows", rows), self.values("grid_cols", rows), strict=True))
        ends = np.cumsum([height * width for height, width in shapes], dtype=np.intp)
        return [flat[end - h * w : end].reshape(h, w) for end, (h, w) in zip(ends, shapes, strict=True)]

    @cached_property
    def patients(self) -> npt.NDArray[np.object_]:
        """(rows,) patient ids."""
        return np.array(self.values("patient_id"), dtype=object)

    @cached_property
    def sentence_ids(self) -> npt.NDArray[np.object_]:
        """(rows,) sentence ids."""
        return np.array(self.values("sentence_id"), dtype=object)

    @cached_property
    def digests(self) -> npt.NDArray[np.object_]:
        """(rows,) SHA-256 of the images that were sent; empty where they are not known."""
        return np.array([digest or "" for digest in self.values("image_sha256")], dtype=object)

    @cached_property
    def inputs(self) -> npt.NDArray[np.object_]:
        """(rows,) digests of ids, text and boxes: equal where a model was asked and its map was scored alike."""
        columns = [self.table.column(name) for name in ("image_id", "sentence_id", "text", "boxes")]
        digests: list[bytes] = []
        for start in range(0, len(self), AT_A_TIME):
            block = (column.slice(start, AT_A_TIME).to_pylist() for column in columns)
            digests += [hashlib.blake2b(repr(r).encode(), digest_size=16).digest() for r in zip(*block, strict=True)]
        return np.array(digests, dtype=object)

    def member(self, subset: str) -> Mask:
        """(rows,) whether each row's sentence belongs to a subset."""
        if subset not in self._members:
            rows, names = self._memberships()
            mask = np.zeros(len(self), dtype=bool)
            mask[rows[np.asarray(pc.equal(names, subset).to_numpy(zero_copy_only=False), dtype=bool)]] = True
            self._members[subset] = mask
        return self._members[subset]

    @cached_property
    def strata(self) -> list[str]:
        """Every stratum of its own that some row belongs to, in order."""
        return sorted(set(pc.unique(self.table.column("stratum")).to_pylist()) - {""})

    @cached_property
    def subsets(self) -> list[str]:
        """Every subset that some row belongs to."""
        return list(pc.unique(self._memberships()[1]).to_pylist())

    def _memberships(self) -> tuple[Index, pa.Array]:
        """Every membership of every row: (memberships,) the row, and the subset's name."""
        lists = self.table.column("subsets").combine_chunks()
        rows = np.asarray(pc.list_parent_indices(lists).to_numpy(zero_copy_only=False), dtype=np.intp)
        return rows, pc.list_flatten(lists)

    def metrics(self, profiles: Sequence[str]) -> list[str]:
        """The metric columns of these profiles, as ``<profile>_<metric>``."""
        return [name for name in self.table.column_names if name.startswith(tuple(f"{p}_" for p in profiles))]


def _box(mask: dict[str, Any] | None = None, **values: Any) -> Box:
    """A box as `cases.parquet` holds it; files written before there were masks have none."""
    return Box(**values, mask=BoxMask(**mask) if mask else None)


def answered(cases: CaseTable, model: str, perturbation: str, stratum: str = "") -> Index:
    """The rows of a model under a perturbation that have a map, in the data set's order; those of a stratum of their
    own only if it is named."""
    chosen = (
        cases.equals("model", model)
        & cases.equals("perturbation", perturbation)
        & cases.equals("status", "ok")
        & cases.equals("stratum", stratum)
    )
    return np.flatnonzero(chosen)


def rows_of_sentences(cases: CaseTable, candidates: Index, sentences: npt.NDArray[np.object_]) -> Index:
    """For each sentence id its row among the candidates, −1 where it has none."""
    by_sentence = dict(zip(cases.sentence_ids[candidates], candidates, strict=True))
    return np.array([by_sentence.get(sentence, -1) for sentence in sentences], dtype=np.intp)


def count_values(cases: CaseTable, status: str, column: str) -> dict[str, dict[str, dict[str, int]]]:
    """model → perturbation → value of `column` → how many rows of this status have it."""
    rows = np.flatnonzero(cases.equals("status", status))
    tree: dict[str, dict[str, dict[str, int]]] = {}
    for model, perturbation, value in zip(
        *(cases.values(name, rows) for name in ("model", "perturbation", column)), strict=True
    ):
        counts = tree.setdefault(model, {}).setdefault(perturbation, {})
        counts[value] = counts.get(value, 0) + 1
    return tree
