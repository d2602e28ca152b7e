"""The files of a run: where they lie, how they are written. Every file is written beside its place and then moved
there, so that a killed run leaves no half of one. Nothing here depends on the time of day: equal content, equal bytes.

    results/<run>/
      manifest.json     what was run on what, by which weights, and how long it took; the only file with times in it
      parts/            one file per block of images while the run lasts: what --resume starts from
      cases.parquet     one row per model × perturbation × sentence
      maps.npz, maps/   the maps of these rows, when asked for: in one file, or in one for each part
      summary.json      means, intervals, deltas, controls
      gallery/          images and maps that the report shows
      report.html
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
import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA_VERSION = 1
PART_NOTE = b"wronglung"
COMPRESSION = "zstd"


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

    def clear(self) -> None:
        """Remove what an earlier run left here, and nothing else."""
        self.clear_results()
        shutil.rmtree(self.parts, ignore_errors=True)

    def clear_results(self) -> None:
        """Remove all but the parts; the manifest first, for it says that the rest is there and belongs together."""
        reports = (self.root / "report.html", self.root / "tables.md")
        for file in (self.manifest, self.cases, self.maps, self.summary, *reports):
            file.unlink(missing_ok=True)
        shutil.rmtree(self.gallery, ignore_errors=True)
        shutil.rmtree(self.map_shards, ignore_errors=True)


def write_whole(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Write a file beside its place, then move it there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            write(file)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


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


def write_part(path: Path, table: pa.Table, note: dict[str, Any]) -> None:
    """Write one part with a note on what it holds."""
    noted = table.replace_schema_metadata({PART_NOTE: json.dumps(plain(note), sort_keys=True).encode()})
    write_whole(path, lambda file: pq.write_table(noted, file, compression=COMPRESSION))


def read_note(path: Path) -> dict[str, Any] | None:
    """The note of a part; None when there is no such part or it cannot be read (it will be made again)."""
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowInvalid):
        return None
    note: dict[str, Any] | None = json.loads(metadata.get(PART_NOTE, b"null"))
    return note


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
            table = table.replace_schema_metadata(None)
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
