"""Batches for grounding: every sentence of an image, hard negatives beside it, and the truth of every pair."""

import numpy as np
import pytest

from harness.case import Box, Sentence, Triple
from harness.dataset.phantom import PhantomDataset, is_true
from training.cache import load_studies
from training.claims import GroundingBatch, GroundingBatches, Sizes, exchange_sides
from training.domain import DomainConfig
from training.pictures import Darkroom
from training.sources import Source
from training.studies import StudySet
from wronglung.model.config import PreprocessConfig

SIZES = Sizes(images=6, sentences=4, side=160, grid_side=10)


@pytest.fixture(scope="module")
def study_set(tmp_path_factory: pytest.TempPathFactory) -> StudySet:
    source = Source(PhantomDataset(0, "train", 14), "phantoms")
    return load_studies(source, Darkroom(256, False, True), tmp_path_factory.mktemp("renderings"), workers=1)


def batches_of(study_set: StudySet, boxed: frozenset[str] | None = None) -> GroundingBatches:
    return GroundingBatches(study_set, PreprocessConfig(), SIZES, DomainConfig(), boxed)


@pytest.fixture(scope="module")
def batch(study_set: StudySet) -> GroundingBatch:
    return next(batches_of(study_set).training(np.random.default_rng(3)))


def test_a_batch_holds_images_and_all_their_sentences(batch: GroundingBatch) -> None:
    assert batch.frames_BHW.shape == (6, 160, 160)
    assert set(batch.images_S.tolist()) == set(range(6))
    own = [claim for claim in batch.claims if not claim.exchanged]
    assert max(sum(claim.image == row for claim in own) for row in range(6)) <= SIZES.sentences
    assert batch.visible_BS.shape == (6, len(batch.claims))
    assert batch.places_SN.shape == (len(batch.claims), 100)


def test_own_affirmations_are_visible_and_denials_are_not(batch: GroundingBatch) -> None:
    seen = {True: 0, False: 0}
    for column, claim in enumerate(batch.claims):
        if not claim.exchanged:
            assert bool(batch.visible_BS[claim.image, column]) is not claim.sentence.negated
            seen[claim.sentence.negated] += 1
    assert min(seen.values()) > 0


def test_an_exchanged_sentence_follows_its_own_and_has_no_boxes(batch: GroundingBatch) -> None:
    exchanged = [i for i, claim in enumerate(batch.claims) if claim.exchanged]
    assert exchanged
    for i in exchanged:
        own, other = batch.claims[i - 1], batch.claims[i]
        assert own.image == other.image
        assert not own.sentence.negated
        assert ("left" in own.sentence.text.lower()) == ("right" in other.sentence.text.lower())
        assert batch.places_SN[i].sum() == 0


def test_hard_negatives_can_be_left_out(study_set: StudySet) -> None:
    batches = GroundingBatches(study_set, PreprocessConfig(), SIZES, DomainConfig(), exchange=lambda sentence: None)
    batch = next(batches.training(np.random.default_rng(3)))
    assert batch.claims
    assert not any(claim.exchanged for claim in batch.claims)


def test_boxes_become_shares_of_the_regions(batch: GroundingBatch) -> None:
    """All of them, or none where the crop has lost the boxes."""
    sums = batch.places_SN.sum(1)[~batch.exchanged_S].numpy()
    assert ((np.abs(sums - 1) < 1e-5) | (sums == 0)).all()
    assert (sums > 0).mean() > 0.8
    sides = {"left": [], "right": []}  # type: ignore[var-annotated]
    columns = np.tile(np.arange(10), 10)
    for claim, places_N in zip(batch.claims, batch.places_SN.numpy(), strict=True):
        names = {box.name.split()[0] for box in claim.sentence.boxes}
        if len(names) == 1 and names <= sides.keys():
            sides[names.pop()].append(float(places_N @ columns))
    assert min(sides["left"]) > max(sides["right"]), "the patient's left is the image's right"


def test_only_the_sentences_that_may_have_boxes_do(study_set: StudySet) -> None:
    ids = [s.sentence_id for study in study_set.studies[::2] for s in study.sentences if s.abnormal]
    boxed = frozenset(ids[:2])
    found = set()
    batches, rng = batches_of(study_set, boxed), np.random.default_rng(0)
    for batch in (batch for _ in range(4) for batch in batches.training(rng)):
        assert len(batch.frames_BHW) == SIZES.images
        for claim, places_N in zip(batch.claims, batch.places_SN, strict=True):
            if places_N.sum() > 0:
                found.add(claim.sentence.sentence_id)
    assert found == boxed


def test_batches_are_the_same_for_the_same_seed(study_set: StudySet) -> None:
    first, again, other = (next(batches_of(study_set).training(np.random.default_rng(seed))) for seed in (5, 5, 6))
    assert first.frames_BHW.equal(again.frames_BHW)
    assert [c.sentence.sentence_id for c in first.claims] == [c.sentence.sentence_id for c in again.claims]
    assert [c.sentence.sentence_id for c in first.claims] != [c.sentence.sentence_id for c in other.claims]


def test_exchanging_sides_changes_words_and_truth() -> None:
    claim = Sentence(
        "s", "Nodule in the left lung.", (Box("left lung", 0, 0, 1, 1),), (Triple("left lung", "nodule", True),)
    )
    other = exchange_sides(claim)
    assert other is not None
    assert other.text == "Nodule in the right lung."
    assert not other.boxes
    assert not is_true(other, {Triple("left lung", "nodule", True)})
    assert is_true(other, {Triple("right lung", "nodule", True)})


@pytest.mark.parametrize(
    "text",
    ["The heart is large.", "Left and right effusions.", "RML and right base opacity.", "Right middle lobe opacity."],
)
def test_a_sentence_without_one_side_cannot_be_exchanged(text: str) -> None:
    assert exchange_sides(Sentence("s", text, ())) is None
