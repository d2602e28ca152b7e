"""What the report's distributions are drawn from: a few columns of `cases.parquet`. Runs that lack one have none."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

FloatArray = npt.NDArray[np.float64]
CLASSES: tuple[str, ...] = ("own_present", "own_negated", "random_false")
RISK = "exact_pointing"
PREFERENCE = "exact_preference"


@dataclass(frozen=True, slots=True, eq=False)
class Masses:
    """One model's opt-out masses by what the sentence states of the image."""

    by_class: Mapping[str, FloatArray]
    risk: Mapping[str, FloatArray]
    """1 − pointing of the sentences that state something present, NaN where there is none; 1 for false sentences."""


def read_columns(parquet: Path, columns: tuple[str, ...], arms: tuple[str, ...]) -> pa.Table | None:
    """These columns of the answered rows of these perturbations; None if the file or a column is missing."""
    if not parquet.is_file():
        return None
    needed = {*columns, "perturbation", "status"}
    if not needed <= set(pq.read_schema(parquet).names):
        return None
    answered = (pc.field("status") == "ok") & pc.field("perturbation").isin(arms)
    return pq.read_table(parquet, columns=list(columns), filters=answered)


def opt_out_masses(parquet: Path, model: str) -> Masses | None:
    """None for a model that never withholds attention, or where the rows do not say what they state. Rows whose mass is
    not known are left out."""
    table = read_columns(parquet, ("model", "statement", "opt_out", RISK), ("none", "random_sentences"))
    if table is None:
        return None
    table = table.filter(pc.and_(pc.equal(table["model"], model), pc.is_valid(table["opt_out"])))
    by_class = {name: table.filter(pc.equal(table["statement"], name)) for name in CLASSES}
    masses = {name: numbers(rows, "opt_out") for name, rows in by_class.items() if len(rows)}
    if not any((values > 0).any() for values in masses.values()):
        return None
    risk = {name: _risk(name, by_class[name]) for name in masses if name != "own_negated"}
    return Masses(masses, risk)


def _risk(name: str, rows: pa.Table) -> FloatArray:
    return np.ones(len(rows)) if name == "random_false" else 1.0 - numbers(rows, RISK)


def laterality_differences(parquet: Path, model: str) -> FloatArray:
    """(N,): each sentence's preference for its own side, less the same under the swapped sentence; their mean is the
    Laterality Response Index."""
    columns = ("model", "perturbation", "sentence_id", "stratum", PREFERENCE)
    table = read_columns(parquet, columns, ("none", "swap_left_right"))
    if table is None:
        return np.empty(0)
    table = table.filter(pc.and_(pc.equal(table["model"], model), pc.equal(table["stratum"], "")))
    own, swapped = (_by_sentence(table, arm) for arm in ("none", "swap_left_right"))
    differences = np.array([own[s] - swapped[s] for s in swapped if s in own])
    return np.asarray(differences[~np.isnan(differences)], dtype=np.float64)


def _by_sentence(table: pa.Table, arm: str) -> dict[str, float]:
    rows = table.filter(pc.equal(table["perturbation"], arm))
    return dict(zip(rows["sentence_id"].to_pylist(), numbers(rows, PREFERENCE).tolist(), strict=True))


def numbers(table: pa.Table, column: str) -> FloatArray:
    """A column as float64, NaN for null."""
    return np.asarray(table[column].to_numpy(), dtype=np.float64)


def failure_examples(parquet: Path) -> dict[tuple[str, str, str], str]:
    """(model, perturbation, code) → the first sentence that failed so, and why, in the order of the rows."""
    columns = ["model", "perturbation", "error_code", "sentence_id", "error"]
    if not parquet.is_file() or not {*columns, "status"} <= set(pq.read_schema(parquet).names):
        return {}
    failed = pq.read_table(parquet, columns=columns, filters=pc.field("status") == "failed")
    found: dict[tuple[str, str, str], str] = {}
    for model, arm, code, sentence, error in zip(*(failed[name].to_pylist() for name in columns), strict=True):
        found.setdefault((model, arm, code), f"{sentence}: {error}")
    return found
