import hashlib
import io
import os
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from harness.case import ImageRecord
from harness.dataset.base import Dataset
from harness.dataset.phantom import PhantomDataset, PhantomStudy
from harness.dataset.phantom import dataset as module


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_it_is_a_data_set_of_the_harness(phantom_test_set: PhantomDataset) -> None:
    assert isinstance(phantom_test_set, Dataset)
    assert phantom_test_set.name == "phantom:test"


def test_iterating_yields_as_many_records_as_len_says(
    phantom_test_set: PhantomDataset, phantom_records: list[ImageRecord]
) -> None:
    assert len(phantom_records) == len(phantom_test_set) > phantom_test_set.patients


def test_patients_have_one_to_three_studies(phantom_records: list[ImageRecord]) -> None:
    per_patient: dict[str, set[str]] = {}
    for record in phantom_records:
        per_patient.setdefault(record.patient_id, set()).add(record.study_id)
    assert {len(studies) for studies in per_patient.values()} == {1, 2, 3}


def test_ids_are_unique_and_name_their_split(phantom_records: list[ImageRecord]) -> None:
    images = [record.image_id for record in phantom_records]
    sentences = [sentence.sentence_id for record in phantom_records for sentence in record.sentences]
    assert len(set(images)) == len(images)
    assert len(set(sentences)) == len(sentences)
    assert all(name.startswith("test-") for name in images + sentences)


def test_every_study_has_a_report(phantom_records: list[ImageRecord]) -> None:
    counts = [len(record.sentences) for record in phantom_records]
    assert min(counts) >= 1
    assert 4 <= np.mean(counts) <= 7


def test_a_study_is_the_same_bytes_in_whatever_order_it_is_asked_for(phantom_studies: list[PhantomStudy]) -> None:
    again = PhantomDataset(seed=7, split="test", patients=250)
    for index in (5, 0, 3):
        study = again.study(index)
        assert study.record == phantom_studies[index].record
        assert np.array_equal(study.pixels, phantom_studies[index].pixels)


def test_a_study_does_not_depend_on_the_order_of_hashes() -> None:
    script = (
        "import hashlib; from harness.dataset.phantom import PhantomDataset as P; s = P(7, 'test', 3).study(2);"
        "print(hashlib.sha256(s.record.load() + repr((s.record.sentences, s.record.regions)).encode()).hexdigest())"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", script], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1


def test_more_patients_do_not_change_the_earlier_ones(phantom_studies: list[PhantomStudy]) -> None:
    fewer = PhantomDataset(seed=7, split="test", patients=2)
    assert fewer.study(1).record.load() == phantom_studies[1].record.load()


def test_loading_gives_the_pixels_as_a_png_of_the_size_on_record(phantom_studies: list[PhantomStudy]) -> None:
    for study in phantom_studies[:4]:
        image = Image.open(io.BytesIO(study.record.load()))
        assert (image.format, image.mode, image.size) == ("PNG", "L", (study.record.width, study.record.height))
        assert np.array_equal(np.asarray(image), study.pixels)


def test_a_record_can_be_sent_to_another_process(phantom_studies: list[PhantomStudy]) -> None:
    record = pickle.loads(pickle.dumps(phantom_studies[0].record))
    assert record.load() == phantom_studies[0].record.load()


@pytest.mark.parametrize("change", [{"seed": 8}, {"split": "train"}, {"patients": 251}])
def test_the_digest_tells_what_the_studies_depend_on(phantom_test_set: PhantomDataset, change: dict) -> None:
    config = {"seed": 7, "split": "test", "patients": 250}
    assert PhantomDataset(**config).digest == phantom_test_set.digest
    assert PhantomDataset(**{**config, **change}).digest != phantom_test_set.digest


def test_the_digest_tells_the_generators_version(
    phantom_test_set: PhantomDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = phantom_test_set.digest
    monkeypatch.setattr(module, "GENERATOR_VERSION", module.GENERATOR_VERSION + 1)
    assert phantom_test_set.digest != before


def test_splits_share_no_patient_no_picture_and_no_random_stream() -> None:
    seen: dict[str, set[str]] = {}
    for split in ("train", "validation", "test"):
        data = PhantomDataset(seed=7, split=split, patients=6)
        studies = [data.study(index) for index in range(len(data))]
        anonymous = [replace(data.plan(index), key=studies[0].record.study_id) for index in range(len(data))]
        seen[split] = {
            *(study.record.patient_id for study in studies),
            *(digest(study.unmarked.tobytes()) for study in studies),
            *(repr(plan.anatomy) for plan in anonymous),
            *(repr(plan.view) for plan in anonymous),
        }
    assert not seen["train"] & seen["validation"]
    assert not seen["train"] & seen["test"]
    assert not seen["validation"] & seen["test"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "dev"}, "choose one of train, validation, test"),
        ({"patients": 0}, "at least 1"),
        ({"seed": -1}, "seed must"),
        ({"seed": 2**32}, "seed must"),
    ],
)
def test_a_set_that_cannot_be_is_refused(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PhantomDataset(**arguments)


def test_an_index_beyond_the_end_is_refused(phantom_test_set: PhantomDataset) -> None:
    with pytest.raises(IndexError):
        phantom_test_set.study(len(phantom_test_set))
