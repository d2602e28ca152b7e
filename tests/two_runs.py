"""Two small runs of one model to compare, without a server."""

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from harness.case import ImageRecord
from harness.finished import FinishedRun
from harness.pipeline import run
from harness.runconfig import parse_run_config
from tests.harness_fakes import FakeClient, FakeDataset, align, fake_dataset
from wronglung.alignment import Alignment
from wronglung.client import AlignItem


def blurred(item: AlignItem) -> Alignment:
    """A worse server: half of every map is uniform, and the other half upside down."""
    answered = align(item)
    flat = 0.95 / answered.maps[0].size
    return dataclasses.replace(answered, maps=((answered.maps[:, ::-1, ::-1] + flat) / 2).astype(np.float32))


def evaluate(out: Path, client: FakeClient, records: Iterable[ImageRecord]) -> FinishedRun:
    """A run of model m into a folder."""
    tree = {
        "name": out.name,
        "dataset": {"kind": "phantom"},
        "models": ["m"],
        "perturbations": ["none", "swap_left_right", "random_sentences"],
        "profiles": ["exact"],
        "resamples": 200,
        "gallery": {"best": 0, "worst": 0, "ignores_swap": 0, "random": 0},
        "out": out,
    }
    run(parse_run_config(tree, "test"), FakeDataset(list(records)), client)
    return FinishedRun(out)


def two_runs(root: Path, images: tuple[int, int] = (8, 6)) -> tuple[FinishedRun, FinishedRun]:
    """Before and after; the second server is worse."""
    before = evaluate(root / "before", FakeClient(), fake_dataset(images[0]).records)
    return before, evaluate(root / "after", FakeClient(blurred), fake_dataset(images[1]).records)
