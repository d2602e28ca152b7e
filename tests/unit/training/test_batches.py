"""Batches: one study per patient, false negatives known, pictures cropped and never mirrored without their words."""

from pathlib import Path

import numpy as np
import pytest

from harness.dataset.phantom import PhantomDataset, is_true
from training.batches import BatchSource
from training.cache import load_studies
from training.config import AugmentConfig
from training.draws import OwnSentences
from training.negatives import false_negatives
from training.pictures import Darkroom
from training.sources import Source
from training.studies import StudySet
from wronglung.model.config import PreprocessConfig
from wronglung.model.errors import ModelFilesError

PREPROCESS = PreprocessConfig()
PATIENTS, BATCH = 12, 5


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("renderings")


@pytest.fixture(scope="module")
def study_set(cache: Path) -> StudySet:
    dataset = PhantomDataset(0, "train", PATIENTS)
    return load_studies(Source(dataset, "phantoms"), Darkroom(256, False, True), cache, workers=1)


def source_of(study_set: StudySet, abnormal_share: float = 0.5) -> BatchSource:
    return BatchSource(study_set, PREPROCESS, BATCH, OwnSentences(study_set.studies, abnormal_share))


def test_the_cache_gives_back_what_was_rendered(study_set: StudySet, cache: Path) -> None:
    dataset = PhantomDataset(0, "train", PATIENTS)
    before = {path: path.stat().st_mtime_ns for path in cache.rglob("*.*")}
    again = load_studies(Source(dataset, "phantoms"), Darkroom(256, False, True), cache)
    assert list(again.studies) == list(study_set.studies)
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*.*")} == before
    assert len(study_set.studies) == len(study_set.squares) == 2 * len(dataset)
    assert study_set.studies[0].facts == dataset.study(0).facts


def test_a_mirrored_picture_comes_with_mirrored_words_and_truth(study_set: StudySet) -> None:
    for plain, mirrored in zip(study_set.studies[::2], study_set.studies[1::2], strict=True):
        assert plain.patient_id == mirrored.patient_id
        for a, b in zip(plain.sentences, mirrored.sentences, strict=True):
            assert ("left" in a.text.lower()) == ("right" in b.text.lower())
        assert all(is_true(sentence, mirrored.facts or ()) for sentence in mirrored.sentences)


def test_no_patient_is_twice_in_a_batch(study_set: StudySet) -> None:
    source = source_of(study_set)
    patients_of = {s.text: set() for study in study_set.studies for s in study.sentences}  # type: ignore[var-annotated]
    for study in study_set.studies:
        for sentence in study.sentences:
            patients_of[sentence.text].add(study.patient_id)
    for batch in source.validation(seed=1, rounds=20):
        owners = [patients_of[sentence.text] for sentence in batch.sentences]
        assert len(set().union(*owners)) >= BATCH


def test_false_negatives_are_the_true_pairs_off_the_diagonal(study_set: StudySet) -> None:
    studies = list(study_set.studies[:8:2])
    sentences = [study.sentences[0] for study in studies]
    mask = false_negatives(studies, sentences)
    for row, study in enumerate(studies):
        for column, sentence in enumerate(sentences):
            assert mask[row, column] == (row != column and is_true(sentence, study.facts))


def test_the_same_sentence_of_a_like_study_is_a_false_negative(study_set: StudySet) -> None:
    study = study_set.studies[0]
    assert false_negatives([study, study], [study.sentences[0]] * 2).tolist() == [[False, True], [True, False]]


def test_frames_are_crops_in_the_models_range(study_set: StudySet) -> None:
    source = source_of(study_set)
    batch = next(source.training(np.random.default_rng(0), AugmentConfig()))
    assert batch.frames_BHW.shape == (BATCH, 224, 224)
    assert batch.frames_BHW.min() >= -1
    assert batch.frames_BHW.max() <= 1


def test_without_augmentation_the_centre_crop_is_the_engines_frame(study_set: StudySet) -> None:
    batch = next(source_of(study_set).validation(seed=0, rounds=1))
    engine_frames = study_set.squares[:, 16:240, 16:240].astype(np.float32) / 255 * 2 - 1
    for frame in batch.frames_BHW.numpy():
        assert np.abs(engine_frames - frame).max(axis=(1, 2)).min() < 1e-5


def test_validation_batches_repeat_and_training_batches_follow_the_seed(study_set: StudySet) -> None:
    source = source_of(study_set)
    first, second = ([b.sentences for b in source.validation(0, 2)] for _ in range(2))
    assert first == second
    assert len(first) == 2 * (PATIENTS // BATCH)
    drawn = [next(source.training(np.random.default_rng(seed), AugmentConfig())) for seed in (3, 3, 4)]
    assert drawn[0].sentences == drawn[1].sentences != drawn[2].sentences
    assert bool((drawn[0].frames_BHW == drawn[1].frames_BHW).all())


def test_the_abnormal_share_is_kept(study_set: StudySet) -> None:
    abnormal = {s.text for study in study_set.studies for s in study.sentences if s.abnormal}
    sick = {s.text for study in study_set.studies if any(x.abnormal for x in study.sentences) for s in study.sentences}
    source = source_of(study_set, abnormal_share=1.0)
    drawn = [sentence.text for batch in source.validation(0, 20) for sentence in batch.sentences]
    assert all(text in abnormal for text in drawn if text in sick)


def test_a_training_step_reads_the_rewritten_sentence_and_validation_the_sentence_itself(study_set: StudySet) -> None:
    draw = OwnSentences(study_set.studies, 0.5)
    source = BatchSource(study_set, PREPROCESS, BATCH, draw, lambda text, rng: f"{rng.integers(2)} {text}")
    plain = source_of(study_set)
    batch = next(source.training(np.random.default_rng(0), AugmentConfig()))
    expected = next(plain.training(np.random.default_rng(0), AugmentConfig()))
    assert [sentence.text[2:] for sentence in batch.sentences] == [sentence.text for sentence in expected.sentences]
    assert bool((batch.false_negatives_BB == expected.false_negatives_BB).all())
    assert next(source.validation(0, 1)).sentences == next(plain.validation(0, 1)).sentences


def test_too_few_patients_with_a_sentence_to_draw_are_an_error(study_set: StudySet) -> None:
    draw = OwnSentences(study_set.studies, 0.5)
    with pytest.raises(ModelFilesError, match=r"schedule\.batch \(13\).* only 12 validation patients"):
        BatchSource(study_set, PREPROCESS, 13, draw, part="validation")
