"""Random streams: every draw of a study comes from its own generator, keyed by what is drawn and for whom.

Separate streams make independence structural: letters and devices cannot follow the findings, because they never share
a generator with them, and leaving one finding out of a picture changes nothing else in it.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal, get_args

import numpy as np

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
_SPLIT_CODES: dict[str, int] = {"train": 1, "validation": 2, "test": 3}


class Stream(IntEnum):
    """What a generator is used for."""

    PATIENT = 1
    ANATOMY = 2
    VIEW = 3
    FINDINGS = 4
    REPORT = 5
    TEXTURE = 6
    DEVICES = 7
    MARKERS = 8
    EXPOSURE = 9
    NOISE = 10
    SHAPE = 11
    PROJECTION = 12
    PARAPHRASE = 13


@dataclass(frozen=True, slots=True)
class StudyKey:
    """Which study: all that its bytes depend on, beside the generator's version."""

    seed: int
    split: Split
    patient: int
    study: int

    @property
    def patient_id(self) -> str:
        """Unique among all splits of one seed."""
        return f"{self.split}-p{self.patient:06d}"

    @property
    def study_id(self) -> str:
        """Unique among all splits of one seed."""
        return f"{self.patient_id}-s{self.study}"

    def rng(self, stream: Stream, item: int = 0) -> np.random.Generator:
        """The generator of one purpose (and of its item-th use, e.g. the third finding)."""
        return _generator(self.seed, self.split, self.patient, self.study + 1, stream, item)


def patient_rng(seed: int, split: Split, patient: int, stream: Stream) -> np.random.Generator:
    """The generator of what all studies of a patient share."""
    return _generator(seed, split, patient, 0, stream, 0)


def _generator(seed: int, split: Split, patient: int, study: int, stream: Stream, item: int) -> np.random.Generator:
    return np.random.default_rng([seed, _SPLIT_CODES[split], patient, study, int(stream), item])
