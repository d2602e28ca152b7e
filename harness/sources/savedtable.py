"""The table beside saved maps: `cases.parquet`, of which `harness.sources.saved` says what may be in it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.settings import ConfigError


def is_text(kind: pa.DataType) -> bool:
    """Whether a column holds text, however its writer calls it."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


REQUIRED = {"image_id": is_text, "text": is_text}
OPTIONAL = {
    "model": is_text,
    "status": is_text,
    "perturbation": is_text,
    "opt_out": pa.types.is_floating,
    "local_similarity": pa.types.is_floating,
    "global_similarity": pa.types.is_floating,
    "words": pa.types.is_integer,
    "truncated": pa.types.is_boolean,
    "frame": pa.types.is_struct,
    "grid_rows": pa.types.is_integer,
    "grid_cols": pa.types.is_integer,
}


@dataclass(frozen=True, slots=True)
class TableRow:
    """What the table says of one map."""

    number: int
    """Its place in the arrays."""
    values: dict[str, Any]
    """The optional columns that are there."""


def read_cases(path: Path) -> pa.Table:
    """The columns that are known.

    Raises:
        ConfigError: one is missing or of another type, or the file cannot be read.
    """
    try:
        schema = pq.read_schema(path)
        for name, fits in (REQUIRED | OPTIONAL).items():
            if name in schema.names and not fits(schema.field(name).type):
                raise ConfigError(f"{path}: column {name!r} has type {schema.field(name).type}")
        missing = [name for name in REQUIRED if name not in schema.names]
        if missing:
            raise ConfigError(f"{path} lacks the column {missing[0]!r}")
        return pq.read_table(path, columns=[name for name in REQUIRED | OPTIONAL if name in schema.names])
    except (OSError, pa.ArrowException) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error


def chosen_rows(table: pa.Table, model: str, folder: Path) -> list[int]:
    """The numbers of the answered rows of a model.

    Raises:
        ConfigError: it has none.
    """
    kept = np.ones(table.num_rows, dtype=bool)
    if "model" in table.column_names:
        kept &= pc.equal(table["model"], model).fill_null(False).to_numpy()
        if not kept.any():
            raise ConfigError(f"{folder} holds no maps of {model!r}, but of {table['model'].unique().to_pylist()}")
    if "status" in table.column_names:
        kept &= pc.equal(table["status"], "ok").fill_null(False).to_numpy()
    return [int(number) for number in np.flatnonzero(kept)]
