"""The phantom data set: `ImageRecord`s made to order."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt

from harness.case import ImageRecord, Triple
from harness.dataset.phantom.markers import Marker, letters, stamp
from harness.dataset.phantom.plan import StudyPlan, make_plan
from harness.dataset.phantom.png import encode_png
from harness.dataset.phantom.render import render
from harness.dataset.phantom.report import write_report
from harness.dataset.phantom.streams import SPLITS, Split, Stream, StudyKey, patient_rng

GENERATOR_VERSION = 4
"""Raised whenever the bytes of any study change."""


@dataclass(frozen=True, slots=True)
class PhantomStudy:
    """A record with its picture.

    `pixels`: (H, W) uint8, letters included; `facts`: all that is true of it (`truth.is_true`).
    """

    record: ImageRecord
    pixels: npt.NDArray[np.uint8]
    facts: frozenset[Triple]
    unmarked: npt.NDArray[np.uint8] = field(repr=False)
    """The picture without its letters."""
    markers: tuple[Marker, ...] = ()


class PhantomDataset:
    """Procedural chest radiographs with reports and boxes. Study i of (seed, split) is the same bytes for ever.

    Patients of different splits never share a random stream, and more patients never change the earlier ones.
    """

    def __init__(self, seed: int = 0, split: Split = "test", patients: int = 100) -> None:
        """Plan `patients` patients with one to three studies each.

        Raises:
            ValueError: the split is unknown, the seed no 32-bit number, or there is not a single patient.
        """
        if split not in SPLITS:
            raise ValueError(f"unknown split {split!r}: choose one of {', '.join(SPLITS)}")
        if not 0 <= seed < 2**32 or patients < 1:
            raise ValueError(f"seed must lie in [0, 2**32) and patients be at least 1, got {seed=} and {patients=}")
        self.seed, self.split, self.patients = seed, split, patients
        self._keys = [
            StudyKey(seed, split, patient, study)
            for patient in range(patients)
            for study in range(_visits(seed, split, patient))
        ]

    @property
    def name(self) -> str:
        """How reports call it."""
        return f"phantom:{self.split}"

    @property
    def digest(self) -> str:
        """SHA-256 of all that determines the studies."""
        config = f"phantom v{GENERATOR_VERSION} seed={self.seed} split={self.split} patients={self.patients}"
        return hashlib.sha256(config.encode()).hexdigest()

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[ImageRecord]:
        return (self.record(index) for index in range(len(self)))

    def record(self, index: int) -> ImageRecord:
        """The i-th record; its picture is drawn when it is loaded."""
        return _record(self.plan(index))

    def plan(self, index: int) -> StudyPlan:
        """What the i-th study shows."""
        return make_plan(self._keys[index])

    def study(self, index: int) -> PhantomStudy:
        """The i-th record with its picture."""
        plan = self.plan(index)
        unmarked = render(plan)
        return PhantomStudy(_record(plan), stamp(unmarked, plan.markers), plan.facts, unmarked, plan.markers)


def _visits(seed: int, split: Split, patient: int) -> int:
    return int(patient_rng(seed, split, patient, Stream.PATIENT).choice([1, 2, 3], p=[0.6, 0.28, 0.12]))


def _record(plan: StudyPlan) -> ImageRecord:
    return ImageRecord(
        image_id=f"{plan.key.study_id}-frontal",
        patient_id=plan.key.patient_id,
        study_id=plan.key.study_id,
        width=plan.view.width,
        height=plan.view.height,
        regions=plan.boxes,
        sentences=write_report(plan),
        load=partial(_load, plan),
        strata={
            "view": plan.projection,
            "mirrored": "no",
            "letter": letters(plan.markers),
            "devices": "yes" if plan.devices else "no",
        },
    )


def _load(plan: StudyPlan) -> bytes:
    return encode_png(stamp(render(plan), plan.markers))
