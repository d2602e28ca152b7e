"""Thirty sentences with boxes: drawn once, shown in every pass."""

import numpy as np
import pytest

from harness.case import Box, Sentence
from training.config import AugmentConfig
from training.shots import ShotSource, draw_shots
from training.studies import Study, StudySet
from wronglung.model.config import PreprocessConfig
from wronglung.model.errors import ModelFilesError

BOX = (Box("left lung", 4, 4, 12, 20),)
PREPROCESS = PreprocessConfig(longer_side=32, crop=24)


def study(index: int) -> Study:
    sentences = tuple(Sentence(f"{index}-{k}", f"text {index} {k}", BOX if k else ()) for k in range(4))
    return Study(f"patient {index}", sentences, frozenset(), (0, 0, 32, 32))


STUDIES = tuple(study(index) for index in range(10))
SQUARES = np.stack([np.full((32, 32), 20 * index, np.uint8) for index in range(10)])


def ids(seed: int, count: int = 12) -> list[str]:
    return [shot.sentence.sentence_id for shot in draw_shots(STUDIES, count, seed, lambda _: True, "shots")]


def test_the_seed_decides_which_sentences_with_boxes_are_drawn_none_twice() -> None:
    assert ids(0) == ids(0) != ids(1)
    assert len(set(ids(0))) == 12
    assert not any(each.endswith("-0") for seed in range(20) for each in ids(seed))  # has no boxes
    assert len({each for seed in range(200) for each in ids(seed)}) == 30


def test_what_is_not_accepted_is_not_drawn_and_too_few_are_an_error() -> None:
    told = "held_out: 13 sentences with boxes are asked for, but there are only 10 that may be drawn: ask for no more"
    with pytest.raises(ModelFilesError, match=told):
        draw_shots(STUDIES, 13, 0, lambda sentence: sentence.sentence_id.endswith("-1"), "held_out")


def source(batch: int) -> ShotSource:
    shots = draw_shots(STUDIES, 12, 0, lambda _: True, "shots")
    return ShotSource(StudySet(STUDIES, SQUARES), PREPROCESS, batch, shots)


def test_every_pass_shows_every_shot_once_with_the_picture_that_it_belongs_to() -> None:
    rng, as_it_is = np.random.default_rng(0), AugmentConfig(brightness=0, contrast=0, gamma=0)
    passes = [list(source(batch=5).training(rng, as_it_is)) for _ in range(2)]
    for one in passes:
        assert [len(batch.sentences) for batch in one] == [5, 5, 2]
        assert sorted(s.sentence_id for batch in one for s in batch.sentences) == ids(0)
        for batch in one:
            for frame, shown, sentence in zip(batch.frames_BHW, batch.studies, batch.sentences, strict=True):
                index = int(sentence.sentence_id.partition("-")[0])
                assert sentence in shown.sentences
                assert frame.mean().item() == pytest.approx(20 * index / 255 * 2 - 1, abs=1e-5)
    first, second = ([s.sentence_id for batch in one for s in batch.sentences] for one in passes)
    assert first != second
    assert len({tuple(corner) for one in passes for batch in one for corner in batch.corners_B2.tolist()}) > 5


def test_validation_shows_every_shot_once_as_it_would_be_served() -> None:
    found = list(source(batch=5).validation())
    assert [s.sentence_id for batch in found for s in batch.sentences] == ids(0)
    assert {tuple(corner) for batch in found for corner in batch.corners_B2.tolist()} == {(4, 4)}
