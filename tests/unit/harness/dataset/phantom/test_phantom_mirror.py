import numpy as np
import pytest

from harness.dataset.phantom import PhantomStudy, is_true, mirror
from harness.dataset.phantom.mirror import mirror_text
from harness.dataset.phantom.regions import mirrored


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Left-sided effusion on the left.", "Right-sided effusion on the right."),
        ("No RUL nodule; the LLL is clear.", "No LUL nodule; the RLL is clear."),
        ("Bilateral upright view, bright.", "Bilateral upright view, bright."),
    ],
)
def test_words_change_sides_and_keep_their_case(text: str, other: str) -> None:
    assert mirror_text(text) == other
    assert mirror_text(other) == text


def test_picture_boxes_names_and_words_change_sides_together(phantom_studies: list[PhantomStudy]) -> None:
    for study in phantom_studies:
        other, width = mirror(study), study.record.width
        assert np.array_equal(other.unmarked, study.unmarked[:, ::-1])
        boxes = {box.name: box for box in other.record.regions}
        for box in study.record.regions:
            assert boxes[mirrored(box.name)].xyxy == pytest.approx((width - box.x1, box.y0, width - box.x0, box.y1))
        for sentence, changed in zip(study.record.sentences, other.record.sentences, strict=True):
            assert changed.text == mirror_text(sentence.text)
            assert [box.name for box in changed.boxes] == [mirrored(box.name) for box in sentence.boxes]
            assert changed.lung_side == {"left": "right", "right": "left", None: None}[sentence.lung_side]


def test_every_sentence_stays_true(phantom_studies: list[PhantomStudy]) -> None:
    for study in phantom_studies:
        other = mirror(study)
        assert all(is_true(sentence, other.facts) for sentence in other.record.sentences)


def test_right_stays_at_the_images_left_while_the_heart_changes_sides(phantom_studies: list[PhantomStudy]) -> None:
    for study in phantom_studies:
        boxes = {box.name: box for box in mirror(study).record.regions}
        assert boxes["right lung"].x0 < boxes["left lung"].x0
        before = {box.name: box for box in study.record.regions}["cardiac silhouette"]
        assert boxes["cardiac silhouette"].x0 == pytest.approx(study.record.width - before.x1)


def test_mirrored_studies_are_a_stratum_of_their_own(phantom_studies: list[PhantomStudy]) -> None:
    study, other = phantom_studies[0], mirror(phantom_studies[0])
    assert (study.record.strata["mirrored"], other.record.strata["mirrored"]) == ("no", "yes")
    assert all(sentence.strata["mirrored"] == "yes" for sentence in other.record.sentences)
    assert other.record.image_id != study.record.image_id
    assert other.record.patient_id == study.record.patient_id


def test_letters_stay_readable_and_true(phantom_studies: list[PhantomStudy]) -> None:
    lettered = next(study for study in phantom_studies if study.record.strata["letter"] == "L")
    other = mirror(lettered)
    assert other.record.strata["letter"] == "R"
    [marker] = [marker for marker in other.markers if marker.text == "R"]
    assert marker.x < lettered.record.width / 2
    rows, columns = marker.mask.shape
    patch = other.pixels[marker.y : marker.y + rows, marker.x : marker.x + columns]
    assert np.all(patch[marker.mask] == marker.level)


def test_mirroring_twice_gives_the_study_back(phantom_studies: list[PhantomStudy]) -> None:
    plain = next(study for study in phantom_studies if not study.markers)
    again = mirror(mirror(plain))
    assert np.array_equal(again.pixels, plain.pixels)
    assert again.facts == plain.facts
    assert [s.text for s in again.record.sentences] == [s.text for s in plain.record.sentences]
    assert again.record.image_id == plain.record.image_id


def test_the_mirrored_record_loads_the_mirrored_picture(phantom_studies: list[PhantomStudy]) -> None:
    study = phantom_studies[1]
    assert mirror(study).record.load() != study.record.load()
