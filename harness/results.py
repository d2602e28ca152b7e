"""The files of a run: where they lie, how they are written. Every file is written beside its place, made to reach the
disk and then moved there: neither a kill nor a power cut leaves half of one. Nothing here depends on the time of day:
equal content, equal bytes.

    results/<run>/
      manifest.json     what was run on what, by which weights, and how long it took; the only file with times in it
      parts/            one file per block of images while the run lasts: what --resume starts from
      cases.parquet     one row per model × perturbation × sentence
      maps.npz, maps/   the maps of these rows, when asked for: in one file, or in one for each part
      summary.json      means, intervals, deltas, controls
      gallery/          images and maps that the report shows
      report.html
      shards/           what `--shard` wrote: for each shard its parts and shard.json, until they are merged
"""

import io
import json
import math
import os
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

SCHEMA_VERSION = 1
COMPRESSION = "zstd"
BESIDE = ".unfinished-"


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """The paths of one run."""

    root: Path

    @property
    def manifest(self) -> Path:
        """`manifest.json`."""
        return self.root / "manifest.json"

    @property
    def cases(self) -> Path:
        """`cases.parquet`."""
        return self.root / "cases.parquet"

    @property
    def maps(self) -> Path:
        """`maps.npz`."""
        return self.root / "maps.npz"

    @property
    def map_shards(self) -> Path:
        """`maps/`."""
        return self.root / "maps"

    def map_shard(self, number: int) -> Path:
        """The maps of one part."""
        return self.map_shards / f"{number:06d}.npz"

    @property
    def summary(self) -> Path:
        """`summary.json`."""
        return self.root / "summary.json"

    @property
    def gallery(self) -> Path:
        """`gallery/`."""
        return self.root / "gallery"

    @property
    def parts(self) -> Path:
        """`parts/`."""
        return self.root / "parts"

    def part(self, number: int) -> Path:
        """The file of one part."""
        return self.parts / f"part-{number:06d}.parquet"

    @property
    def shards(self) -> Path:
        """`shards/`."""
        return self.root / "shards"

    @property
    def shard_note(self) -> Path:
        """`shard.json`: says that the parts of a shard are all there."""
        return self.root / "shard.json"

    def clear(self) -> None:
        """Remove what an earlier run left here, and nothing else."""
        self.clear_results()
        shutil.rmtree(self.parts, ignore_errors=True)

    def clear_results(self) -> None:
        """Remove all but the parts, and what a killed write left beside its place. What says that the rest is there and
        belongs together goes first."""
        reports = (self.root / "report.html", self.root / "tables.md")
        for file in (self.manifest, self.shard_note, self.cases, self.maps, self.summary, *reports):
            file.unlink(missing_ok=True)
        for folder in (self.root, self.parts):
            for unfinished in folder.glob(f".*{BESIDE}*"):
                unfinished.unlink(missing_ok=True)
        shutil.rmtree(self.gallery, ignore_errors=True)
        shutil.rmtree(self.map_shards, ignore_errors=True)


def write_whole(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Write a file beside its place; when the disk has it, move it there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}{BESIDE}{os.getpid()}")
    try:
        with beside.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        _sync_folder(path.parent)
    finally:
        beside.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder reach the disk, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def plain(value: Any) -> Any:
    """`value` as JSON can hold it: numbers that are not finite become null, numpy's become Python's."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def json_bytes(tree: Any) -> bytes:
    """Canonical JSON: sorted keys, shortest float that reads back the same, null for NaN, a newline at the end."""
    return (json.dumps(plain(tree), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes."""

    def write(file: IO[bytes]) -> None:
        file.write(data)

    write_whole(path, write)


def write_json(path: Path, tree: Any) -> None:
    """Write canonical JSON."""
    write_bytes(path, json_bytes(tree))


def write_cases(path: Path, parts: Iterable[Path], leave_out: Iterable[str]) -> int:
    """Join the parts into one file without the named columns, one part in memory at a time. Returns the rows."""
    rows = 0
    dropped = set(leave_out)

    def write(file: IO[bytes]) -> None:
        nonlocal rows
        writer: pq.ParquetWriter | None = None
        for part in parts:
            table = pq.read_table(part)
            table = table.select([name for name in table.column_names if name not in dropped])
            table = table.replace_schema_metadata(None).combine_chunks()
            if writer is None:
                writer = pq.ParquetWriter(file, table.schema, compression=COMPRESSION)
            writer.write_table(table)
            rows += table.num_rows
        if writer is not None:
            writer.close()

    write_whole(path, write)
    return rows


def write_npz(path: Path, name: str, shape: tuple[int, ...], blocks: Iterator[npt.NDArray[np.float32]]) -> None:
    """Write one float32 array of known shape into an .npz file, block by block along its first axis."""

    def write(file: IO[bytes]) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as member:
                header = io.BytesIO()
                np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": shape})
                member.write(header.getvalue())
                for block in blocks:
                    member.write(np.ascontiguousarray(block, dtype="<f4").tobytes())

    write_whole(path, write)
