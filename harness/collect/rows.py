"""Answered images become rows: one for each model × perturbation × sentence, whatever became of it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from harness.case import Box
from harness.collect.exchange import Failure
from harness.collect.gather import Reading, Row
from harness.collect.rowmetrics import metric_columns
from harness.meaning import meaning_code
from harness.metrics.registry import Profile
from harness.statements import class_of
from harness.subsets import Membership
from wronglung.geometry import Frame

MASK = pa.struct([("rows", pa.int32()), ("cols", pa.int32()), ("counts", pa.string())])
BOX = pa.struct(
    [
        ("name", pa.string()),
        ("x0", pa.float64()),
        ("y0", pa.float64()),
        ("x1", pa.float64()),
        ("y1", pa.float64()),
        ("mask", MASK),
    ]
)
FRAME = pa.struct(
    [
        (name, pa.int32())
        for name in (
            "image_width",
            "image_height",
            "resized_width",
            "resized_height",
            "offset_x",
            "offset_y",
            "width",
            "height",
        )
    ]
)
FIELDS: tuple[pa.Field, ...] = (
    pa.field("image_index", pa.int32()),
    pa.field("image_id", pa.string()),
    pa.field("patient_id", pa.string()),
    pa.field("study_id", pa.string()),
    pa.field("sentence_id", pa.string()),
    pa.field("model", pa.string()),
    pa.field("perturbation", pa.string()),
    pa.field("text", pa.string()),
    pa.field("status", pa.string()),  # ok, failed or not_applicable
    pa.field("reason", pa.string()),  # why it is not applicable
    pa.field("error_code", pa.string()),
    pa.field("error", pa.string()),
    pa.field("donor_id", pa.string()),
    pa.field("stratum", pa.string()),
    pa.field("subsets", pa.list_(pa.string())),
    pa.field("negated", pa.bool_()),
    pa.field("statement", pa.string()),  # its class in the opt-out decision
    pa.field("boxes", pa.list_(BOX)),
    pa.field("image_sha256", pa.string()),
    pa.field("words", pa.int32()),
    pa.field("truncated", pa.bool_()),
    pa.field("opt_out", pa.float64()),
    pa.field("local_similarity", pa.float64()),
    pa.field("global_similarity", pa.float64()),
    pa.field("frame", FRAME),
    pa.field("grid_rows", pa.int32()),
    pa.field("grid_cols", pa.int32()),
    pa.field("meaning", pa.int64()),
    pa.field("map", pa.list_(pa.float32())),
)
PART_ONLY = ("meaning", "map")
"""Columns of the parts that `cases.parquet` leaves out."""


def table_of(rows: Sequence[Row], subsets: Mapping[str, Membership], profiles: Sequence[Profile]) -> pa.Table:
    """The rows with every metric of every profile; null where there is no value."""
    members = _Members(subsets)
    values = [{**_case_values(row, members), **_outcome_values(row.outcome)} for row in rows]
    columns = {field.name: pa.array([value.get(field.name) for value in values], field.type) for field in FIELDS}
    for name, metric in metric_columns(rows, profiles).items():
        columns[name] = pa.array(metric, pa.float64(), from_pandas=True)
    return pa.table(columns)


class _Members:
    """The subsets of each sentence, decided once for all models and perturbations."""

    def __init__(self, subsets: Mapping[str, Membership]) -> None:
        self._subsets = subsets
        self._known: dict[tuple[int, str], list[str]] = {}

    def of(self, row: Row) -> list[str]:
        """Names of the subsets that the unperturbed sentence belongs to."""
        plan, sentence = row.answered.plan, row.case.sentence
        key = plan.index, sentence.sentence_id
        if key not in self._known:
            self._known[key] = [name for name, member in self._subsets.items() if member(plan.record, sentence)]
        return self._known[key]


def _case_values(row: Row, members: _Members) -> dict[str, Any]:
    record, case = row.answered.plan.record, row.case
    return {
        "image_index": row.answered.plan.index,
        "image_id": record.image_id,
        "patient_id": record.patient_id,
        "study_id": record.study_id,
        "sentence_id": case.sentence.sentence_id,
        "model": row.model,
        "perturbation": case.perturbation,
        "text": case.text,
        "status": row.status,
        "reason": case.reason,
        "donor_id": case.donor_id,
        "stratum": case.stratum,
        "subsets": members.of(row),
        "negated": case.sentence.negated,
        "statement": class_of(record, case),
        "meaning": meaning_code(case.sentence),
        "boxes": [_box_value(box) for box in case.boxes],
        "image_sha256": row.answered.sha256(case) or None,
    }


def _box_value(box: Box) -> dict[str, Any]:
    mask = box.mask and {"rows": box.mask.rows, "cols": box.mask.cols, "counts": box.mask.counts}
    return {"name": box.name, "x0": box.x0, "y0": box.y0, "x1": box.x1, "y1": box.y1, "mask": mask}


def _frame_value(frame: Frame) -> dict[str, int]:
    return {field.name: getattr(frame, field.name) for field in FRAME}


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _outcome_values(outcome: Reading | Failure | None) -> dict[str, Any]:
    if outcome is None:
        return {}
    if isinstance(outcome, Failure):
        return {"error_code": outcome.code, "error": outcome.message}
    return {
        "words": outcome.words,
        "truncated": outcome.truncated,
        "opt_out": _known(outcome.opt_out),
        "local_similarity": _known(outcome.local_similarity),
        "global_similarity": _known(outcome.global_similarity),
        "frame": _frame_value(outcome.frame),
        "grid_rows": outcome.map.shape[0],
        "grid_cols": outcome.map.shape[1],
        "map": outcome.map.ravel(),
    }
