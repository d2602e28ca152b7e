"""Scores of a data set under maps that depend on nothing but the text and the size of the image.

Two data sets that say the same have the same scores, whatever their images are encoded as and their ids are.
"""

import dataclasses

import numpy as np
import pyarrow.parquet as pq

from harness.pipeline import run
from harness.runconfig import parse_run_config
from tests.harness_fakes import FakeClient, align
from wronglung.images import header_size

PERTURBATIONS = ["none", "swap_left_right", "synthetic_sentences", "mirror_both"]
"""Those that no id decides."""


def _answer(item):
    return align(dataclasses.replace(item, image=b""), *header_size(item.image))


def scores(dataset, out):
    """Column → values, one for each case: every metric, and what was sent. In the order of the data set."""
    tree = {
        "name": "scores",
        "dataset": {"kind": "phantom"},
        "models": ["m"],
        "perturbations": PERTURBATIONS,
        "subsets": ["all"],
        "resamples": 100,
        "gallery": {"best": 0, "worst": 0, "ignores_swap": 0, "random": 0},
        "out": str(out),
    }
    run(parse_run_config(tree, "scores"), dataset, FakeClient(_answer))
    table = pq.read_table(out / "cases.parquet")
    wanted = [n for n in table.column_names if n.startswith(("exact_", "paper_")) or n in ("perturbation", "text")]
    return {name: np.array(table[name].to_pylist(), dtype=object) for name in wanted}


def numbers(values):
    """As floats; what is null is NaN."""
    return np.array([np.nan if value is None else value for value in values], dtype=float)
