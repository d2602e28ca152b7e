"""With the shipped models: on phantoms a map has to see the finding, and no letter on the film helps it.

Test patients of a seed of their own, which no recipe was chosen by.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from harness.case import Sentence
from harness.controls import image_blind
from harness.dataset.phantom import PhantomDataset, PhantomStudy, sentence_key
from harness.metrics import score
from harness.metrics.label import exact_boxes
from tests.repository import ROOT
from wronglung.alignment import Alignment
from wronglung.geometry import Frame
from wronglung.model import AlignmentModel, load_model

pytestmark = pytest.mark.slow

Array = npt.NDArray[np.floating]

GAINS = {"auroc": 0.10, "pointing": 0.25}
"""What a model must at least gain by seeing (SCIENCE.md, section 9, asks for the first)."""


@pytest.fixture(scope="module")
def studies() -> list[PhantomStudy]:
    data = PhantomDataset(seed=13, split="test", patients=150)
    return [data.study(index) for index in range(len(data))]


@pytest.fixture(scope="module", params=["encoder", "encoder-optout", "wronglung-1"])
def model(request: pytest.FixtureRequest) -> AlignmentModel:
    return load_model(ROOT / "model_store" / request.param)


@dataclass(frozen=True)
class Seen:
    """Every sentence of the studies with its map."""

    sentences: list[Sentence]
    patients: list[str]
    frames: list[Frame]
    maps: Array

    def scores(self, metric: str, maps: Array) -> Array:
        """Of these maps in the place of the model's own; NaN without map or label."""
        known = ~np.isnan(maps).any(axis=(1, 2))
        found = np.full(len(maps), np.nan)
        chosen = np.flatnonzero(known)
        found[known] = score(
            maps[known],
            [exact_boxes(self.sentences[i].boxes, self.frames[i]) for i in chosen],
            domains=[self.frames[i].image_rect for i in chosen],
        )[metric]
        return found


@pytest.fixture(scope="module")
def seen(model: AlignmentModel, studies: list[PhantomStudy]) -> Seen:
    answers = [look(model, study, study.pixels) for study in studies]
    sentences = [sentence for study in studies for sentence in study.record.sentences]
    patients = [study.record.patient_id for study in studies for _ in study.record.sentences]
    frames = [answer.frame for answer in answers for _ in answer.maps]
    return Seen(sentences, patients, frames, np.concatenate([answer.maps for answer in answers]))


def look(model: AlignmentModel, study: PhantomStudy, pixels: npt.NDArray[np.uint8]) -> Alignment:
    return model.align([pixels], [[sentence.text for sentence in study.record.sentences]])[0]


def test_without_letters_the_maps_are_as_good(model: AlignmentModel, studies: list[PhantomStudy], seen: Seen) -> None:
    bare = np.concatenate([look(model, study, study.unmarked).maps for study in studies])
    change = seen.scores("auroc", bare) - seen.scores("auroc", seen.maps)
    assert any(study.markers for study in studies)
    assert not np.array_equal(bare, seen.maps)
    assert abs(np.nanmean(change)) < 0.01


def test_what_is_said_without_a_place_has_to_be_seen(seen: Seen) -> None:
    """The control knows what is said and where such findings lie in other patients, but not this image."""
    unplaced = [s.strata["location"] == "none" and s.strata["polarity"] == "affirmed" for s in seen.sentences]
    keys = [sentence_key(s) if chosen else None for s, chosen in zip(seen.sentences, unplaced, strict=True)]
    blind = image_blind(seen.maps, keys, seen.patients)
    both = ~np.isnan(blind).any(axis=(1, 2))
    assert both.sum() > 60
    gains = {metric: seen.scores(metric, seen.maps)[both] - seen.scores(metric, blind)[both] for metric in GAINS}
    assert {metric: np.nanmean(gain) >= GAINS[metric] for metric, gain in gains.items()} == dict.fromkeys(GAINS, True)
